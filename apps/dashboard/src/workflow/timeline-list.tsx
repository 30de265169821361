import { Icon, type IconName } from '../components/icon.tsx'
import { TONE_TEXT, type Tone } from '../components/status.tsx'
import { Clock, formatDay, formatDuration } from '../components/time.tsx'
import type { TimelineEntry, TimelineKind } from './timeline.ts'
import { actorName } from './words.ts'

const LOOKS: Record<TimelineKind, { icon: IconName; tone: Tone }> = {
  queued: { icon: 'queued', tone: 'queued' },
  running: { icon: 'spark', tone: 'running' },
  waiting: { icon: 'eye', tone: 'waiting' },
  approved: { icon: 'check', tone: 'done' },
  completed: { icon: 'check', tone: 'done' },
  rejected: { icon: 'comment', tone: 'waiting' },
  failed: { icon: 'cross', tone: 'failed' },
  retry: { icon: 'retry', tone: 'waiting' },
}

const WORTH_TELLING_MS = 50

/** The causal chain, oldest first: who decided what, and what followed from it. */
export function TimelineList({ entries }: { entries: TimelineEntry[] }) {
  return (
    <ol aria-label="History" className="flex flex-col">
      {entries.map((entry, index) => {
        const { icon, tone } = LOOKS[entry.kind]
        const day = formatDay(entry.at)
        const new_day = index === 0 || day !== formatDay(entries[index - 1]?.at ?? entry.at)
        return (
          <li key={entry.id} className={entry.after_ms === null || index === 0 ? '' : 'pl-4'}>
            {new_day && <p className="pb-2 text-sm font-medium text-faint not-first:pt-2">{day}</p>}
            {entry.idle_ms !== null && (
              <p className="-mt-1 mb-2 ml-2 border-l border-dashed border-line-strong py-1 pl-4.5 text-sm text-faint">
                {entry.after_ms === null
                  ? `${formatDuration(entry.idle_ms)} until somebody decided`
                  : `${formatDuration(entry.idle_ms)} later`}
              </p>
            )}
            <div className="relative flex gap-3 pb-3">
              {index < entries.length - 1 && (
                <span aria-hidden="true" className="absolute top-5 bottom-0 left-2 w-px bg-line" />
              )}
              <Icon name={icon} className={`mt-0.5 ${TONE_TEXT[tone]}`} />
              <div className="min-w-0 flex-1">
                <p className="flex flex-wrap items-baseline justify-between gap-x-3">
                  <span>
                    {entry.text}
                    {entry.actor !== null && <span className="text-soft"> by {actorName(entry.actor)}</span>}
                  </span>
                  <span className="flex gap-3 text-sm text-faint tabular-nums">
                    {entry.after_ms !== null && entry.after_ms >= WORTH_TELLING_MS && entry.idle_ms === null && (
                      <span title="After what it follows from">+{formatDuration(entry.after_ms)}</span>
                    )}
                    <Clock at={entry.at} />
                  </span>
                </p>
                {entry.reasons.map((reason, at) => (
                  // Two comments of one review may have the same words.
                  <blockquote
                    key={at}
                    className="mt-1 border-l-2 border-line-strong pl-2.5 text-sm whitespace-pre-wrap text-soft"
                  >
                    {reason}
                  </blockquote>
                ))}
              </div>
            </div>
          </li>
        )
      })}
    </ol>
  )
}
