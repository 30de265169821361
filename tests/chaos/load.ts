import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { workflowSchema, type PostedTrigger, type Workflow, type WorkflowId } from '@orchestrator/contract'

/** What the clients were told, kept outside of the service: what it must never forget. */
export interface Ledger {
  /** Of each workflow that a client knows, the triggers that were acknowledged, in order. */
  triggers: Map<WorkflowId, PostedTrigger[]>
  acknowledged: number
  /** Answers that no fault explains. */
  unexpected: string[]
  /** How often the service said that it could not just now, by status. */
  refused: Map<number, number>
  /** How long each request took until its final answer, repeats included, in milliseconds. */
  took_ms: number[]
}

export interface Load {
  ledger: Ledger
  /** Resolves when so many more were acknowledged. */
  more(count: number): Promise<void>
  /** Lets every client finish the request it has under way, repeating it until it is answered. */
  stop(): Promise<void>
}

export interface LoadOptions {
  /** Where the service is just now; it may be nowhere. */
  url: () => string
  clients: number
  /** What a client does with each workflow; a whole life of it unless told otherwise. */
  life?: readonly PostedTrigger[]
}

/** A whole life of a workflow whose phases are run outside. */
const LIFE = ['agent_complete', 'human_approved', 'agent_complete', 'human_approved'] as const
const CREATE = { workflow_type: 'specify', feature_description: 'Something that must not be lost' }
const AGAIN_MS = 15
/** A client gives up on a connection that tells nothing. */
const PATIENCE_MS = 20_000
/** The service says that it could not, or that it does not know: the client asks again under the same key. */
const TRANSIENT = new Set([409, 503, 507])

/** Clients that create and advance workflows one after the other, each request under a key of its own. */
export function startLoad({ url, clients, life = LIFE }: LoadOptions): Load {
  const ledger: Ledger = { triggers: new Map(), acknowledged: 0, unexpected: [], refused: new Map(), took_ms: [] }
  const waiting = new Set<{ at: number; resolve: () => void }>()
  let isStopping = false

  const acknowledge = () => {
    ledger.acknowledged++
    for (const waiter of waiting) {
      if (ledger.acknowledged < waiter.at) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  }

  /** The workflow as the final answer has it. */
  const ask = async (path: string, body: object): Promise<Workflow> => {
    const began = performance.now()
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    }
    for (;;) {
      const answer = await fetch(url() + path, { ...request, signal: AbortSignal.timeout(PATIENCE_MS) })
        .then(async (response) => ({ status: response.status, text: await response.text() }))
        .catch(() => undefined)
      if (answer !== undefined && answer.status < 300) {
        ledger.took_ms.push(performance.now() - began)
        return workflowSchema.parse(JSON.parse(answer.text))
      }
      if (answer !== undefined && !TRANSIENT.has(answer.status)) {
        ledger.unexpected.push(`${path} ${answer.status} ${answer.text}`)
        throw new Error(ledger.unexpected.at(-1))
      }
      if (answer !== undefined) ledger.refused.set(answer.status, (ledger.refused.get(answer.status) ?? 0) + 1)
      await sleep(AGAIN_MS)
    }
  }

  const client = async () => {
    while (!isStopping) {
      const { id } = await ask('/workflows', CREATE)
      const triggers: PostedTrigger[] = []
      ledger.triggers.set(id, triggers)
      acknowledge()
      for (const trigger of life) {
        if (isStopping) return
        await ask(`/workflows/${id}/advance`, { trigger })
        triggers.push(trigger)
        acknowledge()
      }
    }
  }
  const working = Array.from({ length: clients }, client)
  // Told by `stop`; a client that met something unexpected ends, and the ledger says what it was.
  const ended = Promise.allSettled(working)

  return {
    ledger,
    more: (count) =>
      Promise.race([
        new Promise<void>((resolve) => waiting.add({ at: ledger.acknowledged + count, resolve })),
        ended.then(() => {
          throw new Error(`every client ended: ${ledger.unexpected.join('\n')}`)
        }),
      ]),
    async stop() {
      isStopping = true
      await ended
    },
  }
}
