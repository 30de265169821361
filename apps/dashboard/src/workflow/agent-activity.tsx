import { useEffect, useRef, useState } from 'react'

import type { Attempt } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { Empty } from '../components/notice.tsx'
import { Clock } from '../components/time.tsx'
import { useAgentTitle } from './agent-name.ts'
import { splitMessage } from './result-block.ts'
import { EMPTY_LOG, type AgentLog, type LogEntry } from './agent-log.ts'

/** What the agent says and does, as it happens: the end stays in sight until the reader scrolls away from it. */
export function AgentActivity({ attempt, log = EMPTY_LOG }: { attempt: Attempt; log: AgentLog | undefined }) {
  const working = attempt.state === 'running' || attempt.state === 'queued' || attempt.state === 'backing_off'
  const agent_title = useAgentTitle(attempt.agent)
  const end = useRef<HTMLDivElement>(null)
  const follows = useFollowsEnd(end)
  const { entries, plan } = log
  useEffect(() => {
    if (follows.current && working) end.current?.scrollIntoView({ block: 'nearest' })
  }, [entries, working, follows])

  if (entries.length === 0 && plan.length === 0 && !working)
    return (
      <div className="card">
        {attempt.output === null ? (
          <Empty icon="list" title="The agent left no record of this attempt" />
        ) : (
          <p className="p-5 whitespace-pre-wrap">{attempt.output}</p>
        )}
      </div>
    )
  return (
    <div className="flex flex-col gap-4">
      {plan.length > 0 && <Plan plan={plan} />}
      <div className="card p-4 sm:p-5">
        <ol aria-label="What the agent said and did" className="flex flex-col gap-2.5">
          {entries.map((entry) => (
            <li key={entry.id} className="[content-visibility:auto] [contain-intrinsic-size:auto_2rem]">
              <Entry entry={entry} />
            </li>
          ))}
        </ol>
        {working && (
          <p role="status" className="mt-3 flex items-center gap-2 text-soft first:mt-0">
            <Icon
              name={attempt.state === 'running' ? 'running' : 'queued'}
              className={attempt.state === 'running' ? 'spin text-running' : ''}
            />
            {workingWords(attempt, agent_title)}
          </p>
        )}
        <div ref={end} />
      </div>
    </div>
  )
}

function workingWords({ state, reason }: Attempt, agent_title: string | null): string {
  if (state === 'running') return `${agent_title ?? 'The agent'} is working`
  return reason ?? (state === 'queued' ? 'Waiting for a free slot' : 'Waiting to try again')
}

function useFollowsEnd(end: React.RefObject<HTMLDivElement | null>) {
  const follows = useRef(false)
  useEffect(() => {
    const element = end.current
    if (element === null) return
    const observer = new IntersectionObserver(([seen]) => {
      follows.current = seen?.isIntersecting ?? false
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [end])
  return follows
}

function Entry({ entry }: { entry: LogEntry }) {
  if (entry.kind === 'tool_call') return <ToolCallRow entry={entry} />
  if (entry.kind === 'thought')
    return (
      <details className="group text-soft">
        <summary className="flex items-center gap-2">
          <Icon name="chevron" className="size-3.5 transition-transform group-open:rotate-90" />
          Thought <span className="min-w-0 flex-1 truncate text-faint group-open:hidden">{entry.text}</span>
        </summary>
        <p className="mt-1 ml-5.5 whitespace-pre-wrap italic">{entry.text}</p>
      </details>
    )
  if (entry.kind === 'message') return <Message text={entry.text} />
  return (
    <p className="flex items-start gap-2 text-sm text-soft">
      <Icon name={entry.kind === 'permission' ? 'question' : 'comment'} className="mt-0.5 size-3.5" />
      {entry.text}
    </p>
  )
}

function Message({ text }: { text: string }) {
  const { words, result } = splitMessage(text)
  return (
    <>
      {words !== '' && <p className="max-w-prose leading-relaxed whitespace-pre-wrap">{words}</p>}
      {result !== null && (
        <details className="group mt-1.5 text-sm text-soft">
          <summary className="flex min-h-6 items-center gap-2">
            <Icon name="chevron" className="size-3.5 transition-transform group-open:rotate-90" />
            Result for the service
          </summary>
          <pre className="mt-1 ml-5.5 overflow-x-auto font-mono text-xs">{result}</pre>
        </details>
      )}
    </>
  )
}

const CALL_ICONS = { completed: 'check', failed: 'cross', in_progress: 'running' } as const
const CALL_TONES = { completed: 'text-done', failed: 'text-failed', in_progress: 'text-running spin' } as const
const CALL_WORDS = { completed: 'done', failed: 'failed', in_progress: 'running' } as const

const knownStatus = (status: string | null): keyof typeof CALL_ICONS =>
  status === 'completed' || status === 'failed' ? status : 'in_progress'

function ToolCallRow({ entry }: { entry: Extract<LogEntry, { kind: 'tool_call' }> }) {
  const { call, at } = entry
  const status = knownStatus(call.status)
  const [open, setOpen] = useState(false)
  const details = [...call.paths, ...(call.text === undefined ? [] : [call.text])]
  return (
    <details
      className="group rounded-lg border border-line bg-canvas"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="flex items-center gap-2 px-3 py-1.5 text-sm">
        <Icon name={CALL_ICONS[status]} className={`size-3.5 ${CALL_TONES[status]}`} />
        <span className="sr-only">{CALL_WORDS[status]}</span>
        <span className="min-w-0 flex-1 truncate font-mono">{call.title}</span>
        <span className="text-faint">
          <Clock at={at} />
        </span>
        <Icon name="chevron" className="size-3.5 text-faint transition-transform group-open:rotate-90" />
      </summary>
      {open && (
        <pre className="max-h-96 overflow-auto border-t border-line px-3 py-2 font-mono text-xs whitespace-pre-wrap">
          {details.length === 0 ? 'The agent told nothing more of this step.' : details.join('\n')}
        </pre>
      )}
    </details>
  )
}

const PLAN_ICONS = { completed: 'check', in_progress: 'running', pending: 'queued' } as const

function Plan({ plan }: { plan: AgentLog['plan'] }) {
  const done = plan.filter(({ status }) => status === 'completed').length
  return (
    <section className="card p-4">
      <h3 className="mb-2 flex items-center gap-2 font-semibold">
        <Icon name="plan" className="text-faint" /> Plan of the agent
        <span className="font-normal text-faint tabular-nums">
          {done} of {plan.length}
        </span>
      </h3>
      <ul className="flex flex-col gap-1">
        {plan.map((item) => {
          const status = item.status === 'completed' || item.status === 'in_progress' ? item.status : 'pending'
          return (
            <li key={item.content} className="flex items-start gap-2">
              <Icon
                name={PLAN_ICONS[status]}
                className={`mt-0.5 size-3.5 ${status === 'completed' ? 'text-done' : status === 'in_progress' ? 'spin text-running' : 'text-faint'}`}
              />
              <span className={status === 'completed' ? 'text-soft' : ''}>{item.content}</span>
              <span className="sr-only">{status.replace('_', ' ')}</span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
