import { modelNameSchema } from '@orchestrator/contract'

import type { ModelEndpoint } from '../core/ports.ts'
import type { LaunchProfile, ModelAccess } from './launch-profile.ts'
import { SANDBOX_MODEL_URL } from './sandbox.ts'

/** What an agent in the sandbox holds in the place of a key. */
const DUMMY_KEY = 'held-by-the-hub'
/** An agent that cannot be used, as a sentence that says what to do. */
export class AccessError extends Error {
  override readonly name = 'AccessError'
}

/** What an agent is told of its model, and where the hub itself finds it. */
export interface AgentAccess {
  env: Record<string, string>
  home_files: Record<string, string>
  /** Left out when the agent reaches its model by itself, or needs none. */
  endpoint?: ModelEndpoint
}

/**
 * The way to the model of an agent, from the hub's environment. `walled`: the hub stands between, and holds the key;
 * else the agent gets it. `chosen` is the model that somebody named for this work. Throws AccessError.
 */
export function findAccess(
  launch: LaunchProfile,
  o: { env: NodeJS.ProcessEnv; walled: boolean; chosen?: string | undefined },
): AgentAccess {
  const { models } = launch
  const access = models.find(({ key_variable }) => isSet(o.env[key_variable]))
  if (access === undefined) {
    if (models.length > 0) throw new AccessError(describeMissingKey(launch))
    return fill(launch, {}, {})
  }
  const upstream = readUrl(access, o.env)
  const model = readModel(access, o.env, o.chosen)
  const key = o.env[access.key_variable] ?? ''
  const known = {
    model_url: o.walled ? SANDBOX_MODEL_URL : upstream.replace(/\/+$/, ''),
    ...(model !== undefined && { model }),
  }
  const filled = fill(
    {
      env: { ...launch.env, ...standardVariables(access), ...access.env },
      home_files: { ...launch.home_files, ...access.home_files },
    },
    known,
    { model_key: o.walled ? DUMMY_KEY : key },
  )
  if (!o.walled) return filled
  const value = access.scheme === null ? key : `${access.scheme} ${key}`
  return { ...filled, endpoint: { upstream, headers: { [access.header]: value } } }
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''

function describeMissingKey({ title, models }: LaunchProfile): string {
  const variables = models.map(({ key_variable }) => key_variable)
  return `${title} has no key for its model: set ${variables.join(' or ')} in the environment of the hub.`
}

function readUrl({ url_variable, upstream }: ModelAccess, env: NodeJS.ProcessEnv): string {
  const given = url_variable === null ? undefined : env[url_variable]
  if (!isSet(given)) return upstream
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given
  throw new AccessError(`${url_variable} is no http or https URL: mend it, or unset it.`)
}

function readModel(access: ModelAccess, env: NodeJS.ProcessEnv, chosen: string | undefined): string | undefined {
  const { model_variable, default_model } = access
  const named = model_variable === null ? undefined : env[model_variable]
  const model = chosen ?? (isSet(named) ? named : default_model)
  const problem = modelNameSchema.optional().safeParse(model).error?.issues[0]?.message
  if (problem === undefined) return model
  throw new AccessError(`${chosen === undefined ? model_variable : 'The name of the model'} ${problem}.`)
}

const standardVariables = ({ key_variable, url_variable, model_variable }: ModelAccess): Record<string, string> => ({
  [key_variable]: '{model_key}',
  ...(url_variable !== null && { [url_variable]: '{model_url}' }),
  ...(model_variable !== null && { [model_variable]: '{model}' }),
})

type Known = Readonly<Record<string, string>>

function fill(from: Pick<LaunchProfile, 'env' | 'home_files'>, known: Known, secret: Known): AgentAccess {
  return {
    env: fillAll(from.env, { ...known, ...secret }),
    home_files: fillAll(from.home_files, known),
  }
}

/** `{home}` stays: it is known only when the agent starts. */
function fillAll(values: Known, known: Known): Record<string, string> {
  const filled = Object.entries(values).flatMap(([name, value]): [string, string][] => {
    const wanted = [...value.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')
    if (wanted.some((placeholder) => known[placeholder] === undefined)) return []
    return [[name, value.replace(PLACEHOLDER, (_, placeholder: string) => known[placeholder] ?? '')]]
  })
  return Object.fromEntries(filled)
}

const PLACEHOLDER = /\{(model_url|model_key|model)\}/g
