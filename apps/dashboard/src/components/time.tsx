import { useSyncExternalStore } from 'react'

import { serverNow } from '../api/server-clock.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** One clock for all ages on the page: the service's, for it wrote the times. */
let now = serverNow()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = serverNow()
    for (const each of listeners) each()
  }, 15_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

const useNow = () => useSyncExternalStore(subscribe, () => now)

/** `4 min`, `3 h`, `2 d`. A clock that runs ahead of ours reads as `now`, never as a negative age. */
export function formatAge(milliseconds: number): string {
  if (milliseconds < MINUTE) return 'now'
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h`
  return `${Math.floor(milliseconds / DAY)} d`
}

/** `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.round(ms / 1000)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.round((ms % MINUTE) / 1000)} s`
  return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

export const formatClock = (at: string) => CLOCK.format(new Date(at))
export const formatDay = (at: string) => DATE.format(new Date(at))

/** A re-rendered age is of now, and not of the last turn of the clock. */
function useAge(at: string): number {
  useNow()
  return serverNow() - Date.parse(at)
}

/** How long ago, with the exact time as a tooltip. */
export function Age({ at }: { at: string }) {
  const age = formatAge(useAge(at))
  return (
    <time dateTime={at} title={FULL.format(new Date(at))} className="tabular-nums">
      {age}
    </time>
  )
}

/** `just now`, `4 min ago`. */
export function Ago({ at }: { at: string }) {
  const age = formatAge(useAge(at))
  return (
    <time dateTime={at} title={FULL.format(new Date(at))} className="tabular-nums">
      {age === 'now' ? 'just now' : `${age} ago`}
    </time>
  )
}

/** The time of day, with the date as a tooltip. */
export function Clock({ at }: { at: string }) {
  return (
    <time dateTime={at} title={FULL.format(new Date(at))} className="tabular-nums">
      {formatClock(at)}
    </time>
  )
}
