import type { ReactNode } from 'react'

import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'
import { TONE_TEXT, type Tone } from './status.tsx'

/** Something could not be read; says why and offers to try again. */
export function LoadFailure({ what, error, retry }: { what: string; error: Error; retry: () => void }) {
  return (
    <div role="alert" className="card flex flex-wrap items-center gap-3 p-4">
      <Icon name="warning" className="text-failed" />
      <p className="min-w-0 flex-1">
        <strong className="font-semibold">{what} could not be loaded.</strong>{' '}
        <span className="text-soft">{error.message}</span>
      </p>
      <Button icon="retry" onClick={retry}>
        Try again
      </Button>
    </div>
  )
}

const SURFACES: Record<Tone, string> = {
  waiting: 'bg-waiting-soft',
  running: 'bg-running-soft',
  done: 'bg-done-soft',
  failed: 'bg-failed-soft',
  queued: 'bg-queued-soft',
}

/** A message in the flow of the page, with what to do about it. */
export function Notice({
  tone,
  icon,
  title,
  children,
  action,
}: {
  tone: Tone
  icon: IconName
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className={`flex flex-wrap items-start gap-x-3 gap-y-2 rounded-[10px] p-3.5 ${SURFACES[tone]}`}>
      <Icon name={icon} className={`mt-0.5 ${TONE_TEXT[tone]}`} />
      <div className="min-w-0 flex-[1_1_16rem]">
        <p className={`font-semibold ${TONE_TEXT[tone]}`}>{title}</p>
        {children !== undefined && <div className="text-ink">{children}</div>}
      </div>
      {action}
    </div>
  )
}

/** A list that has nothing to show. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-14 text-center">
      <span className="grid size-10 place-items-center rounded-full bg-sunken text-faint">
        <Icon name={icon} className="size-5" />
      </span>
      <p className="font-semibold">{title}</p>
      {children !== undefined && <div className="max-w-md text-soft">{children}</div>}
    </div>
  )
}

/** Grey rows while a list is on its way. */
export function LoadingRows({ rows, label }: { rows: number; label: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-2 p-3">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton h-10" />
      ))}
    </div>
  )
}
