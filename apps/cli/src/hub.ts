import {
  errorEnvelopeSchema,
  hubAgentsSchema,
  hubWorkspaceSchema,
  type HubAgents,
  type HubWorkspace,
} from '@orchestrator/contract'

/** What the hub tells of itself; null where it did not answer, with the reason in `trouble`. */
export interface HubAnswer {
  agents: HubAgents | null
  workspace: HubWorkspace | null
  trouble: string | null
}

const TIMEOUT_MS = 5_000

/** Asks a hub for its agents and its default workspace. Never rejects: another hub need not know either. */
export async function askHub(url: string, token: string): Promise<HubAnswer> {
  try {
    const [agents, workspace] = await Promise.all([
      ask(new URL('/agents', url), token).then((body) => hubAgentsSchema.parse(body)),
      ask(new URL('/workspaces/default', url), token).then((body) => hubWorkspaceSchema.safeParse(body).data ?? null),
    ])
    return { agents, workspace, trouble: null }
  } catch (error) {
    return { agents: null, workspace: null, trouble: `The hub at ${url} did not tell its agents: ${reason(error)}` }
  }
}

async function ask(url: URL, token: string): Promise<unknown> {
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  const body: unknown = await response.json()
  const refusal = errorEnvelopeSchema.safeParse(body).data
  if (refusal !== undefined && url.pathname === '/agents') throw new Error(refusal.error.message)
  return body
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
