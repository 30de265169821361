import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

/** Larger files are not compared, nor are two texts that need more time than this: the rest waits meanwhile. */
const BYTES_MAX = 1_000_000
const TIME_MAX_MS = 250

interface TwoVersions {
  path: string
  before: Uint8Array | undefined
  after: Uint8Array | undefined
}

/** A unified diff as git words it, with its counts of lines. Null when either version is no text, or too large. */
export function diffText(file: TwoVersions): { diff: string; added: number; removed: number } | null {
  const before = textOf(file.before)
  const after = textOf(file.after)
  if (before === null || after === null) return null
  const old_name = file.before === undefined ? NOWHERE : `a/${file.path}`
  const new_name = file.after === undefined ? NOWHERE : `b/${file.path}`
  const options = { context: 3, timeout: TIME_MAX_MS, headerOptions: FILE_HEADERS_ONLY }
  const diff = createTwoFilesPatch(old_name, new_name, before, after, '', '', options)
  if (diff === undefined) return null
  const lines = diff.split('\n').slice(2)
  const count = (mark: string) => lines.filter((line) => line.startsWith(mark)).length
  return { diff, added: count('+'), removed: count('-') }
}

const NOWHERE = '/dev/null'

function textOf(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return ''
  if (bytes.byteLength > BYTES_MAX || bytes.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}
