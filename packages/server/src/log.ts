import { type DestinationStream, type Logger, pino } from 'pino'

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

export const hideKeys = (text: string): string => text.replace(KEY, '[hidden: a key]')

export interface LoggerOptions {
  name: string
  level: string
  pretty?: boolean
  /** Values that no line may hold, by the variables that hold them. */
  secrets?: Readonly<Record<string, string>>
}

/** Lines of one turn of the event loop are written at once, and at once what is longer than this. */
const GATHERED_LENGTH = 12 * 1024

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
    timestamp: isoTime,
    redact: { paths: SECRETS, censor: '[hidden]' },
    hooks: {
      streamWrite: (line: string) =>
        hideKeys(secrets.reduce((rest, [name, value]) => rest.replaceAll(value, `[hidden: ${name}]`), line)),
    },
  }
  return pino(options, o.pretty === true ? prettyDestination(process.stdout) : gathered(1))
}

/** For lines whose fields can hold no secret: to look for some costs more than all the rest of a line. */
export function plainLines(logger: Logger): Logger {
  return logger.child({}, { redact: [] })
}

let at = { ms: Number.NaN, field: '' }

/** Many lines have the same time: its text is made once. */
function isoTime(): string {
  const ms = Date.now()
  if (ms !== at.ms) at = { ms, field: `,"time":"${new Date(ms).toISOString()}"` }
  return at.field
}

const flushes = new Set<() => void>()
process.on('exit', () => flushes.forEach((flush) => flush()))

/** Under load a write for each line takes longer than the line; what is left when the process ends is written then. */
function gathered(fd: number): DestinationStream {
  const destination = pino.destination({ fd, sync: true })
  let text = ''
  const flush = () => {
    if (text !== '') destination.write(text)
    text = ''
  }
  flushes.add(flush)
  return {
    write(line) {
      if (text === '') setImmediate(flush)
      text += line
      if (text.length > GATHERED_LENGTH) flush()
    },
  }
}
