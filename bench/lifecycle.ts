import { Pool } from 'undici'

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
  workflows_per_second: number
  create_ms: number[]
  advance_ms: number[]
}

/** So many clients, each running one lifecycle after the other, for about so long. */
export async function runLifecycles(
  url: string,
  o: { clients: number; seconds: number; path?: string; key?: string },
): Promise<LoadResult> {
  const pool = new Pool(url, { connections: o.clients, pipelining: 1 })
  const create_ms: number[] = []
  const advance_ms: number[] = []
  const base = o.path ?? '/workflows'
  let workflows = 0

  const post = async (path: string, body: string, into: number[]) => {
    const began = performance.now()
    const { statusCode, body: answer } = await pool.request({
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(o.key !== undefined && { authorization: `Bearer ${o.key}` }) },
      body,
    })
    const json = (await answer.json()) as { id: string; status: string }
    into.push(performance.now() - began)
    if (statusCode >= 300) throw new Error(`${path} answered ${statusCode}: ${JSON.stringify(json)}`)
    return json
  }
  const began = performance.now()
  const client = async () => {
    while (performance.now() - began < o.seconds * 1000) {
      const { id } = await post(base, CREATE_BODY, create_ms)
      let status = ''
      for (const trigger of ADVANCES)
        ({ status } = await post(`${base}/${id}/advance`, advanceBody(trigger), advance_ms))
      if (status !== 'completed') throw new Error(`a lifecycle ended as ${status}`)
      workflows++
    }
  }
  await Promise.all(Array.from({ length: o.clients }, client))
  const workflows_per_second = (workflows * 1000) / (performance.now() - began)
  await pool.close()
  return { workflows_per_second, create_ms, advance_ms }
}
