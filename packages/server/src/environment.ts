import type * as z from 'zod'

import { issueSentence } from './issue-sentence.ts'
import { StartupError } from './startup-error.ts'

const SECRET_NAME = /TOKEN|SECRET|PASSWORD|KEY/
const CREDENTIALS = /(\/\/)[^/@\s]*@/
const MAX_SHOWN = 80

/**
 * The variables that a schema names, checked. Only strings come in, and an empty one counts as unset.
 * A bad value is a StartupError: `PORT must be a whole number from 0 to 65535, but is "abc".`
 */
export function readEnvironment<S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): z.infer<S> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  )
  const result = schema.safeParse(given, { error: issueSentence })
  if (result.success) return result.data
  const [issue] = result.error.issues
  const name = String(issue?.path[0] ?? 'The environment')
  throw new StartupError(`${name} ${issue?.message ?? 'is not valid'}${shown(name, given[name])}.`)
}

/** The bad value, unless it could be a secret. */
function shown(name: string, value: string | undefined): string {
  if (value === undefined || SECRET_NAME.test(name)) return ''
  const clean = value.replace(CREDENTIALS, '$1…@')
  return `, but is ${JSON.stringify(clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean)}`
}
