import { KeepAliveClient } from './keep-alive-client.ts'

/** The five requests of a full lifecycle with phases run outside: create, then per phase agent_complete and human_approved. */
const ADVANCES = ['agent_complete', 'human_approved', 'agent_complete', 'human_approved'] as const

export const CREATE_BODY = JSON.stringify({
  workflow_type: 'specify',
  feature_description: 'Add user authentication with OAuth2',
  context: { priority: 'P1' },
})
export const advanceBody = (trigger: string) =>
  JSON.stringify({ trigger, phase_result: trigger === 'agent_complete' ? { output: 'done' } : { approved: true } })

export interface LoadResult {
  workflows: number
  workflows_per_second: number
  create_ms: number[]
  advance_ms: number[]
}

/** So many clients, each running one lifecycle after the other, for about so long. */
export async function runLifecycles(
  url: string,
  o: { clients: number; seconds: number; path?: string; key?: string },
): Promise<LoadResult> {
  const create_ms: number[] = []
  const advance_ms: number[] = []
  const base = o.path ?? '/workflows'
  let workflows = 0

  const post = async (client: KeepAliveClient, path: string, body: string, into: number[]) => {
    const began = performance.now()
    const answer = await client.post(path, body)
    into.push(performance.now() - began)
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.body}`)
    return JSON.parse(answer.body) as { id: string; status: string }
  }
  const began = performance.now()
  const work = async () => {
    const client = await KeepAliveClient.open(url, o.key)
    while (performance.now() - began < o.seconds * 1000) {
      const { id } = await post(client, base, CREATE_BODY, create_ms)
      let status = ''
      for (const trigger of ADVANCES)
        ({ status } = await post(client, `${base}/${id}/advance`, advanceBody(trigger), advance_ms))
      if (status !== 'completed') throw new Error(`a lifecycle ended as ${status}`)
      workflows++
    }
    client.close()
  }
  await Promise.all(Array.from({ length: o.clients }, work))
  const workflows_per_second = (workflows * 1000) / (performance.now() - began)
  return { workflows, workflows_per_second, create_ms, advance_ms }
}
