import { createColors } from 'picocolors'

import { readyLines } from './ready-lines.ts'
import { withoutControls, type LogLine } from './log-line.ts'
import type { HubAnswer } from './hub.ts'
import type { ServiceName } from './services.ts'

export interface Ready extends HubAnswer {
  type: 'ready'
  url: string
  docs_url: string
  hub_url: string
  own_hub: boolean
  /** What AGENT_NAME names. */
  agent: string | null
  database: string
}

/** What `up` has to tell, in order. With `--json` each is one line. */
export type UpEvent =
  | { type: 'problem'; text: string }
  | { type: 'building' }
  | { type: 'built'; duration_ms: number }
  | { type: 'build_failed'; reason: string }
  | Ready
  | ({ type: 'log'; service: ServiceName } & LogLine)
  /** What a service says to a person, as it is. */
  | { type: 'line'; service: ServiceName; text: string }
  | { type: 'died'; service: ServiceName; how: string; restart_in_ms: number }
  | { type: 'stopping' }
  | { type: 'stopped' }

export type Reporter = (event: UpEvent) => void

export interface Output {
  isTTY?: boolean
  write(text: string): unknown
}

export const jsonReporter =
  (out: Output): Reporter =>
  (event) =>
    void out.write(`${JSON.stringify(event)}\n`)

/** Colour only for a terminal that can, and not where NO_COLOR is set (https://no-color.org). */
export function colorsFor(out: Output, env: NodeJS.ProcessEnv) {
  return createColors(out.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb')
}
export type Colors = ReturnType<typeof createColors>

export function textReporter(out: Output, env: NodeJS.ProcessEnv): Reporter {
  const colors = colorsFor(out, env)
  return (event) => {
    for (const line of linesOf(event, colors)) out.write(`${line}\n`)
  }
}

function linesOf(event: UpEvent, colors: Colors): string[] {
  switch (event.type) {
    case 'problem':
      return [`${colors.red('✗')} ${event.text}`]
    case 'building':
      return [colors.dim('Building the page, for its source is new …')]
    case 'built':
      return [colors.dim(`Built in ${(event.duration_ms / 1000).toFixed(1)} s.`)]
    case 'build_failed':
      return [
        `${colors.yellow('!')} The page could not be built, the services run without it: ${withoutControls(event.reason)}`,
      ]
    case 'ready':
      return readyLines(event, colors)
    case 'log':
      return [logLine(event, colors)]
    case 'line':
      return [withoutControls(event.text)]
    case 'died':
      return [
        `${colors.yellow('!')} ${event.service} ended (${event.how}); it starts again in ${event.restart_in_ms / 1000} s.`,
      ]
    case 'stopping':
      return ['Ending …']
    case 'stopped':
      return []
  }
}

function logLine({ service, level, time, message }: { service: ServiceName } & LogLine, colors: Colors): string {
  const paint = level === 'warn' ? colors.yellow : level === 'error' || level === 'fatal' ? colors.red : colors.dim
  return `${colors.dim(time.slice(11, 19))} ${paint(level.padEnd(5))} ${service}: ${message}`
}
