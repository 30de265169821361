import { type Logger, pino, stdTimeFunctions } from 'pino'

import { prettyDestination } from './log-lines.ts'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** What must never reach a log, wherever somebody puts a header or a setting into a log object. */
const SECRETS = ['authorization', 'cookie', 'set-cookie', 'token', 'key', 'secret', 'password'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

/** Of the orchestrator: whatever place somebody sent one to, such as a path. */
const KEY = /ok_[0-9a-f]{12}_[A-Za-z0-9_-]{43}/g

export interface LoggerOptions {
  name: string
  level: string
  pretty?: boolean
  /** Values that no line may hold, by the variables that hold them. */
  secrets?: Readonly<Record<string, string>>
}

/** JSON lines on stdout, or with `pretty` short lines for a person at a terminal. */
export function createLogger(o: LoggerOptions): Logger {
  // As they stand within JSON.
  const secrets = Object.entries(o.secrets ?? {}).map(
    ([name, value]) => [name, JSON.stringify(value).slice(1, -1)] as const,
  )
  const options = {
    name: o.name,
    level: o.level,
    base: {},
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[hidden]' },
    hooks: {
      streamWrite: (line: string) =>
        secrets
          .reduce((rest, [name, value]) => rest.replaceAll(value, `[hidden: ${name}]`), line)
          .replace(KEY, '[hidden: a key]'),
    },
  }
  return o.pretty === true ? pino(options, prettyDestination(process.stdout)) : pino(options)
}
