/**
 * Full lifecycles through a hub that answers at once: a person decides as soon as the stream of events tells that
 * there is something to review.
 *
 *   node bench/through-hub.ts [seconds=10] [clients=16]
 */
import { createClient } from '@orchestrator/client'

import { startWithInstantHub } from './instant-hub.ts'
import { KeepAliveClient } from './keep-alive-client.ts'
import { advanceBody, CREATE_BODY } from './lifecycle.ts'
import { withFolder } from './service-process.ts'

const [seconds = 10, clients = 16] = process.argv.slice(2).map(Number)
const PHASES = 2

await withFolder(async (folder) => {
  const service = await startWithInstantHub(folder, { MAX_CONCURRENT_PHASES: String(clients) })
  const reviewable = new Map<string, () => void>()
  const early = new Map<string, number>()
  const stopping = new AbortController()
  const client = createClient({ base_url: service.url })
  const listening = (async () => {
    for await (const event of client.streamEvents({ after: 0, signal: stopping.signal })) {
      if (event.type !== 'workflow.transition' || event.data.trigger !== 'agent_complete') continue
      const tell = reviewable.get(event.workflow_id)
      if (tell === undefined) early.set(event.workflow_id, (early.get(event.workflow_id) ?? 0) + 1)
      tell?.()
    }
  })()
  /** The stream may be quicker than the answer to the request that led to it. */
  const review = (id: string) =>
    new Promise<void>((resolve) => {
      const told = early.get(id) ?? 0
      if (told > 0) {
        early.set(id, told - 1)
        resolve()
      } else {
        reviewable.set(id, () => {
          reviewable.delete(id)
          resolve()
        })
      }
    })

  let done = 0
  const run = async (until: number) => {
    const connection = await KeepAliveClient.open(service.url)
    while (performance.now() < until) {
      const { id } = JSON.parse((await connection.post('/workflows', CREATE_BODY)).body) as { id: string }
      for (let phase = 0; phase < PHASES; phase++) {
        await review(id)
        const answer = await connection.post(`/workflows/${id}/advance`, advanceBody('human_approved'))
        if (answer.status !== 200) throw new Error(`a review answered ${answer.status}: ${answer.body}`)
      }
      early.delete(id)
      done++
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: clients }, () => run(performance.now() + 2_000)))
  done = 0
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, () => run(began + seconds * 1000)))
  const rate = (done * 1000) / (performance.now() - began)
  console.log(`${rate.toFixed(0)} workflows/s through a hub that answers at once, ${clients} clients`)
  stopping.abort()
  await listening.catch(() => {})
  await service.stop()
})
