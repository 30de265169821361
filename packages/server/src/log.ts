import { type Logger, pino, stdTimeFunctions } from 'pino'

import { prettyDestination } from './log-lines.ts'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** What must never reach a log, wherever somebody puts a header or a setting into a log object. */
const SECRETS = ['authorization', 'cookie', 'token', 'key'].flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** JSON lines on stdout, or with `pretty` short lines for a person at a terminal. */
export function createLogger(o: { name: string; level: string; pretty?: boolean }): Logger {
  const options = {
    name: o.name,
    level: o.level,
    base: {},
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[hidden]' },
  }
  return o.pretty === true ? pino(options, prettyDestination(process.stdout)) : pino(options)
}
