import type { Check } from '@orchestrator/contract'

import type { ChangedFile, WorkingCopy } from './ports.ts'

/** Secrets of the hub that are known by their values, so that none leaves it in what an agent says or writes. */
export interface Secrets {
  readonly isEmpty: boolean
  /** Every text within, with the name of the variable in the place of its value. */
  hide<T>(value: T): T
  /** Whether a text ends where a secret may have begun: what comes next decides. */
  mayGoOn(text: string): boolean
  /** The variables whose values stand in these bytes. */
  listIn(bytes: Uint8Array): string[]
}

/** @param named the values, by the variables that hold them */
export function createSecrets(named: Readonly<Record<string, string>>): Secrets {
  // The longest first, for one may stand within another.
  const known = Object.entries(named).toSorted(([, a], [, b]) => b.length - a.length)
  const hideText = (text: string) =>
    known.reduce((rest, [name, secret]) => rest.replaceAll(secret, () => `[hidden: ${name}]`), text)
  const hide = (value: unknown): unknown => {
    if (typeof value === 'string') return hideText(value)
    if (Array.isArray(value)) return value.map(hide)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hide(inner)]))
  }
  return {
    isEmpty: known.length === 0,
    hide: <T>(value: T) => (known.length === 0 ? value : (hide(value) as T)),
    mayGoOn: (text) =>
      known.some(([, secret]) => {
        for (let length = Math.min(secret.length - 1, text.length); length > 0; length--) {
          if (text.endsWith(secret.slice(0, length))) return true
        }
        return false
      }),
    listIn(bytes) {
      const text = LATIN.decode(bytes)
      return known.filter(([, secret]) => text.includes(LATIN.decode(UTF8.encode(secret)))).map(([name]) => name)
    },
  }
}

/** Every byte is a character, so that a file of any kind can be searched as text. */
const LATIN = new TextDecoder('latin1')
const UTF8 = new TextEncoder()

/** A file that an agent wrote, and the secrets whose values stand in it. */
export interface Exposed {
  path: string
  variables: string[]
}

/** What must not be committed, whoever asks for it. A file that cannot be read is none that a commit follows. */
export async function findExposed(
  secrets: Secrets,
  working_copy: WorkingCopy,
  changes: readonly ChangedFile[],
): Promise<Exposed[]> {
  if (secrets.isEmpty) return []
  const exposed: Exposed[] = []
  for (const { path } of changes.filter(({ change }) => change !== 'deleted')) {
    const bytes = await working_copy.readFile(path).catch(() => undefined)
    const variables = [...secrets.listIn(UTF8.encode(path)), ...(bytes === undefined ? [] : secrets.listIn(bytes))]
    if (variables.length > 0) exposed.push({ path: secrets.hide(path), variables })
  }
  return exposed
}

export const toCheck = ({ path, variables }: Exposed): Check => ({
  id: 'files-known-secret',
  level: 'error',
  message: `This file holds the value of ${variables.join(', ')}, a secret: take it out, or nothing is committed.`,
  path,
  line: null,
})
