import { stripVTControlCharacters } from 'node:util'

const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity } as const
export type LogLevel = keyof typeof LEVELS

/** One line of a service's log. Services write JSON: `{level, time, name, msg, …}`, level as a number. */
export interface LogLine {
  level: LogLevel
  /** ISO 8601. */
  time: string
  message: string
  /** Where the service listens: in the line that says so. */
  url: string | undefined
}

/** Undefined for a line that is no log line, and so is meant for a person. */
export function parseLogLine(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const entry = JSON.parse(line) as {
      level?: unknown
      time?: unknown
      msg?: unknown
      url?: unknown
      err?: { message?: unknown }
    }
    if (typeof entry.level !== 'number') return undefined
    const words = [entry.msg, entry.err?.message].filter((word) => typeof word === 'string' && word !== '')
    return {
      level: levelOf(entry.level),
      time: String(entry.time),
      message: withoutControls([...new Set(words)].join(': ')),
      url: typeof entry.url === 'string' ? entry.url : undefined,
    }
  } catch {
    return undefined
  }
}

/** What agents and clients wrote may be in a line; a terminal must not obey it. */
export function withoutControls(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/g, ' ')
}

export const isAtLeast = (level: LogLevel, least: LogLevel): boolean => LEVELS[level] >= LEVELS[least]

export const isLogLevel = (word: string): word is LogLevel => Object.hasOwn(LEVELS, word)

function levelOf(number: number): LogLevel {
  const [name] = Object.entries(LEVELS).findLast(([, value]) => value <= number) ?? ['trace']
  return name as LogLevel
}
