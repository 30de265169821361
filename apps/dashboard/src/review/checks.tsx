import type { Check } from '@orchestrator/contract'

import { Icon, type IconName } from '../components/icon.tsx'
import { TONE_TEXT, type Tone } from '../components/status.tsx'

interface ChecksProps {
  checks: Check[]
  onShow: (path: string, line: number | null) => void
}

const LEVELS: Record<Check['level'], { word: string; icon: IconName; tone: Tone }> = {
  error: { word: 'Failed', icon: 'cross', tone: 'failed' },
  warning: { word: 'Warning', icon: 'warning', tone: 'waiting' },
  pass: { word: 'Passed', icon: 'check', tone: 'done' },
}

/** The service’s own checks of the files: what failed first, what holds folded away. */
export function Checks({ checks, onShow }: ChecksProps) {
  const failed = checks.filter(({ level }) => level === 'error')
  const warnings = checks.filter(({ level }) => level === 'warning')
  const passed = checks.filter(({ level }) => level === 'pass')
  if (checks.length === 0) return null
  if (passed.length === checks.length)
    return (
      <section className="card px-3.5 py-2">
        <details className="group">
          <summary className="flex min-h-6 items-center gap-2 text-done">
            <Icon name="check" className="size-3.5" />
            {passed.length === 1 ? 'The check passed' : `All ${passed.length} checks passed`}
            <Icon name="chevron" className="ml-auto size-3.5 text-faint transition-transform group-open:rotate-90" />
          </summary>
          <CheckRows checks={passed} onShow={onShow} />
        </details>
      </section>
    )
  return (
    <section className="card p-3.5">
      <h2 className="flex items-baseline justify-between font-semibold">
        Checks
        <span className="text-sm font-normal text-soft tabular-nums">
          {passed.length} of {checks.length} passed
        </span>
      </h2>
      <CheckRows checks={[...failed, ...warnings]} onShow={onShow} />
      {passed.length > 0 && (
        <details className="group mt-1.5 text-soft">
          <summary className="flex min-h-6 items-center gap-2 text-sm">
            <Icon name="chevron" className="size-3.5 transition-transform group-open:rotate-90" />
            {passed.length} passed
          </summary>
          <CheckRows checks={passed} onShow={onShow} />
        </details>
      )}
    </section>
  )
}

function CheckRows({ checks, onShow }: ChecksProps) {
  return (
    <ul className="mt-1.5 flex flex-col gap-1.5">
      {checks.map((check) => (
        <CheckRow key={`${check.id} ${check.path} ${check.line} ${check.message}`} check={check} onShow={onShow} />
      ))}
    </ul>
  )
}

function CheckRow({ check, onShow }: { check: Check; onShow: ChecksProps['onShow'] }) {
  const { icon, tone, word } = LEVELS[check.level]
  const { path, line } = check
  return (
    <li className="flex gap-2 text-sm">
      <Icon name={icon} className={`mt-0.5 size-3.5 ${TONE_TEXT[tone]}`} />
      <span className="min-w-0">
        <span className="sr-only">{word}: </span>
        {check.message}
        {path !== null && (
          <button
            type="button"
            onClick={() => onShow(path, line)}
            className="ml-1.5 font-mono text-xs text-accent underline underline-offset-2"
          >
            {path.split('/').at(-1)}
            {line !== null && `:${line}`}
          </button>
        )}
      </span>
    </li>
  )
}
