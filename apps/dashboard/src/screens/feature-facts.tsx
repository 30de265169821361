import { Link } from '@tanstack/react-router'

import type { FeatureDetail, FeatureTotals } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { formatDuration } from '../components/time.tsx'
import { shortPath } from '../review/artifact-order.ts'

/** What all attempts of the feature took together. */
export function Totals({ totals }: { totals: FeatureTotals }) {
  const { attempts, agent_seconds, input_tokens, output_tokens, cost_usd } = totals
  const facts = [
    { word: 'Cost', value: cost_usd === null ? 'not reported' : `$${cost_usd.toFixed(2)}` },
    { word: 'Agent time', value: formatDuration(agent_seconds * 1000) },
    { word: 'Attempts', value: String(attempts) },
    ...(input_tokens === null && output_tokens === null
      ? []
      : [{ word: 'Tokens', value: ((input_tokens ?? 0) + (output_tokens ?? 0)).toLocaleString('en') }]),
  ]
  return (
    <dl className="card grid grid-cols-2 gap-x-4 gap-y-3 p-4">
      {facts.map(({ word, value }) => (
        <div key={word}>
          <dt className="text-sm text-soft">{word}</dt>
          <dd className="font-semibold tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** The latest version of each file; a link leads to the attempt that left it. */
export function Artifacts({ artifacts }: { artifacts: FeatureDetail['artifacts'] }) {
  if (artifacts.length === 0) return null
  return (
    <section className="card p-4">
      <h2 className="mb-1.5 font-semibold">Files</h2>
      <ul className="flex flex-col text-sm">
        {artifacts.map(({ path, workflow_id, attempt_id }) => (
          <li key={path}>
            <Link
              to="/workflows/$workflow_id"
              params={{ workflow_id }}
              search={{ attempt: attempt_id, file: path, view: 'document' }}
              className="flex min-h-6 items-start gap-2 py-0.5 text-soft hover:text-ink"
            >
              <Icon name="file" className="mt-0.5 size-3.5 text-faint" />
              <span className="min-w-0 font-mono text-xs [overflow-wrap:anywhere]">{shortPath(path)}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Each requirement, and whether the plan and a task speak of it: what nobody works on stands out. */
export function Coverage({ coverage }: { coverage: FeatureDetail['coverage'] }) {
  const { requirements, tasks } = coverage
  if (requirements.length === 0) return null
  const planned = requirements.some(({ plan_lines }) => plan_lines.length > 0)
  const covered = requirements.filter(({ covered_by }) => covered_by !== null).length
  return (
    <section className="card mt-2 p-4">
      <h2 className="flex flex-wrap items-baseline justify-between gap-x-3 font-semibold">
        Requirements
        <span className="text-sm font-normal text-soft tabular-nums">
          {tasks.total === 0
            ? `${requirements.length} written, no tasks yet`
            : `${covered} of ${requirements.length} have tasks, ${tasks.ticked} of ${tasks.total} tasks done`}
        </span>
      </h2>
      <ul className="mt-2 flex flex-col divide-y divide-line">
        {requirements.map(({ id, text, plan_lines, covered_by, tasks: named }) => (
          <li key={id} className="flex flex-wrap items-start gap-x-3 gap-y-0.5 py-2 text-sm">
            <code className="w-14 shrink-0 font-mono text-xs leading-5 text-soft">{id}</code>
            <span className="min-w-0 flex-[1_1_16rem]">{text}</span>
            <span className="flex shrink-0 flex-wrap gap-x-3 text-soft">
              {planned && (
                <span className={plan_lines.length > 0 ? '' : 'text-faint'}>
                  {plan_lines.length > 0 ? 'in the plan' : 'not named in the plan'}
                </span>
              )}
              {tasks.total > 0 && (
                <Mark
                  done={covered_by !== null}
                  yes={named.length > 0 ? shorten(named) : 'by its story'}
                  no="no task"
                />
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

const NAMED_MAX = 3
const shorten = (tasks: readonly string[]): string =>
  tasks.length > NAMED_MAX
    ? `${tasks.slice(0, NAMED_MAX).join(', ')} and ${tasks.length - NAMED_MAX} more`
    : tasks.join(', ')

function Mark({ done, yes, no }: { done: boolean; yes: string; no: string }) {
  return (
    <span className={`inline-flex items-center gap-1 ${done ? '' : 'text-waiting'}`}>
      <Icon name={done ? 'check' : 'warning'} className={`size-3.5 ${done ? 'text-done' : ''}`} />
      {done ? yes : no}
    </span>
  )
}
