import { stripVTControlCharacters } from 'node:util'

const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }
const OWN_FIELDS = new Set(['level', 'time', 'name', 'msg', 'err'])

/** Turns pino's JSON lines into `12:00:01 info  orchestrator: message key=value`. */
export function prettyDestination(out: NodeJS.WritableStream): { write(line: string): void } {
  return { write: (line) => void out.write(`${prettyLine(line)}\n`) }
}

/** One JSON log line for a terminal. What an agent or a client wrote may be in it, so no control character passes. */
export function prettyLine(line: string): string {
  const entry: unknown = JSON.parse(line)
  if (typeof entry !== 'object' || entry === null) return plain(line)
  const fields = new Map<string, unknown>(Object.entries(entry))
  const level = LEVELS[Number(fields.get('level'))] ?? 'info'
  const rest = [...fields].filter(([key]) => !OWN_FIELDS.has(key)).map(([key, value]) => `${key}=${text(value)}`)
  const words = [text(fields.get('msg') ?? ''), ...rest, errorText(fields.get('err'))].filter((word) => word !== '')
  return plain(
    `${text(fields.get('time') ?? '').slice(11, 19)} ${level.padEnd(5)} ${text(fields.get('name') ?? '')}: ${words.join(' ')}`,
  )
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const fields = new Map<string, unknown>(Object.entries(error))
  return `| ${text(fields.get('stack') ?? fields.get('message') ?? error)}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function plain(line: string): string {
  // eslint-disable-next-line no-control-regex -- removing them is the point
  return stripVTControlCharacters(line).replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '')
}
