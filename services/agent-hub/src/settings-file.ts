import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { StartupError } from '@orchestrator/server'
import type * as z from 'zod'

export interface SettingsFile<T> {
  /** The variable that may name the file, and what it is called when nobody named one. */
  variable: string
  default_name: string
  /** Where the fields are told. */
  page: string
  schema: z.ZodType<T>
}

/**
 * A YAML file of the user's: the one that was named, else that of the usual name in `folder`, if there is one. Throws
 * a StartupError of one line: file, field and remedy.
 */
export async function readSettingsFile<T>(
  file: SettingsFile<T>,
  path: string | undefined,
  folder: string,
): Promise<{ place: string; settings: T } | undefined> {
  const place = path ?? join(folder, file.default_name)
  let text: string
  try {
    text = await readFile(place, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (path === undefined && code === 'ENOENT') return undefined
    throw new StartupError(`${file.variable}: ${place} cannot be read (${code}): name a file that can, or unset it.`, {
      cause: error,
    })
  }
  const read = file.schema.safeParse(await parseYaml(place, text), { error: describeIssue })
  if (read.success) return { place, settings: read.data }
  const [issue] = read.error.issues
  throw new StartupError(
    `${place}: ${fieldOf(issue)} ${issue?.message ?? 'is not valid'}. Mend it, or see ${file.page} for the fields.`,
  )
}

async function parseYaml(place: string, text: string): Promise<unknown> {
  // Most have no such file, and need nothing to read one.
  const { parse, YAMLParseError } = await import('yaml')
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    const line = error.linePos?.[0].line
    const what = error.message.split(/ at line |\n/)[0] ?? 'cannot be read'
    throw new StartupError(
      `${place}${line === undefined ? '' : `, line ${line}`}: this is no YAML (${what}). Mend it.`,
      {
        cause: error,
      },
    )
  }
}

/** `agents[0].program`. */
function fieldOf(issue: z.core.$ZodIssue | undefined): string {
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...(issue?.path ?? []), ...unknown]
  if (path.length === 0) return 'The file'
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${String(part)}`))
    .join('')
}

function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') return 'is not a known field'
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is required' : `must be of type ${issue.expected}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  return undefined
}
