import { ServiceError, type Invocation, type InvocationEvent, type InvokeRequest } from '@orchestrator/contract'

import { createBell } from './bell.ts'
import { digestRequest } from './digest.ts'
import { cancelled } from './outcome.ts'
import { createRunner, type RunnerParts } from './runner.ts'
import { isFinished, toInvocation, type InvocationRecord } from './store.ts'

export const DEFAULT_WORKSPACE = 'default'

/** How long a closing hub waits for its agents to let go. */
const CLOSE_MS = 4000

/** Starts, follows, cancels and resumes invocations. */
export interface Invocations {
  /**
   * Queues the work, or answers the invocation that already has the key. Throws IDEMPOTENCY_MISMATCH, AGENT_NOT_FOUND,
   * AGENT_UNAVAILABLE, WORKSPACE_NOT_FOUND, UNAVAILABLE.
   */
  invoke(o: {
    agent: string
    request: InvokeRequest
    idempotency_key: string | null
    /** W3C trace context of whoever asks; work taken up again after a restart begins a trace of its own. */
    traceparent?: string | undefined
  }): Promise<Invocation>
  /** Throws INVOCATION_NOT_FOUND, as all with an id do. */
  getInvocation(id: string): Promise<Invocation>
  /** Resolves when it is finished, or when the signal aborts or the hub closes: then it is not. */
  waitFor(id: string, signal: AbortSignal): Promise<Invocation>
  /** Ends the agent, also where that cannot be written down and it rejects. Of a finished one it changes nothing. */
  cancel(id: string): Promise<Invocation>
  /** For a caller that may never have learnt the id. */
  cancelByKey(idempotency_key: string): Promise<Invocation>
  /** From after a sequence until it is finished, the signal aborts or the hub closes. */
  streamEvents(id: string, after: number, signal: AbortSignal): AsyncIterable<InvocationEvent>
  /** At start, before anything else: ends agents left behind, and queues what was interrupted. */
  recover(): Promise<void>
  /** Goes on with all that is queued. */
  resume(): Promise<void>
  /** Ends the agents; what they did is run again at the next start. Takes four seconds at most. */
  close(): Promise<void>
}

export function createInvocations(parts: RunnerParts): Invocations {
  const { store, log } = parts
  const bell = createBell()
  const closing = new AbortController()
  const runner = createRunner(parts, { bell, closing: closing.signal })

  const timestamp = () => parts.now().toISOString()

  async function getRecord(id: string): Promise<InvocationRecord> {
    const record = await store.findInvocation(id)
    if (record === undefined) throw new ServiceError('INVOCATION_NOT_FOUND', `There is no invocation ${id} here.`)
    return record
  }

  const attach = (record: InvocationRecord, body_hash: string): Invocation => {
    if (record.body_hash === body_hash) return toInvocation(record)
    throw new ServiceError(
      'IDEMPOTENCY_MISMATCH',
      'This Idempotency-Key was used for another request. Send a new key with a new request.',
    )
  }

  async function cancel(id: string): Promise<Invocation> {
    const record = await getRecord(id)
    if (isFinished(record)) return toInvocation(record)
    // Before it is written down, for the agent may be what fills the disk; and once more for a run that began meanwhile.
    runner.cancel(id)
    await store.requestCancel(id, timestamp())
    if (!runner.cancel(id)) await finishCancelled(record)
    return toInvocation(await getRecord(id))
  }

  /** One that does not run: it waits for its lane, or for another try after one that failed. */
  async function finishCancelled(record: InvocationRecord): Promise<void> {
    const { id } = record
    const waited = runner.remove(id)
    try {
      const { status, session_id } = await getRecord(id)
      if (isFinished({ status })) return
      await store.finishInvocation(id, status, { ...cancelled(session_id), now: timestamp() })
    } catch (error) {
      // It ends when its turn comes: that somebody asked for it is written down.
      if (waited) runner.enqueue(record)
      throw error
    }
    bell.ring(id)
  }

  return {
    async invoke({ agent, request, idempotency_key, traceparent }) {
      // By its real name: who asked for the default and learnt whom it means may ask for that one next time.
      const asked = agent === 'default' ? parts.registry.list().default : agent
      const body_hash = digestRequest(asked, request)
      const known = idempotency_key === null ? undefined : await store.findInvocationByKey(idempotency_key)
      if (known !== undefined) return attach(known, body_hash)
      if (closing.signal.aborted)
        throw new ServiceError('UNAVAILABLE', 'The Agent Hub is shutting down. Try again in a moment.')
      const profile = parts.registry.getAgent(agent, request.parameters.model)
      const workspace = request.parameters.workspace ?? DEFAULT_WORKSPACE
      parts.workspaces.assertKnown(workspace)
      const id: string = crypto.randomUUID()
      const work = { id, agent: profile.name, workspace, feature_id: request.context.feature_id }
      const creating = store.createInvocation({ ...work, idempotency_key, body_hash, request, created_at: timestamp() })
      const created = creating.then((record) => {
        if (record.id !== id) throw new Error('There was one with this key.')
      })
      runner.enqueue({ ...work, traceparent, fresh: { created, session_id: request.session_id } })
      await created.catch(() => runner.remove(id))
      const record = await creating
      return record.id === id ? toInvocation(record) : attach(record, body_hash)
    },

    getInvocation: async (id) => toInvocation(await getRecord(id)),

    async waitFor(id, signal) {
      const listener = bell.listen(id)
      try {
        for (;;) {
          const record = await getRecord(id)
          if (isFinished(record) || signal.aborted || bell.closed) return toInvocation(record)
          await listener.heard(signal)
        }
      } finally {
        listener.stop()
      }
    },

    async cancelByKey(idempotency_key) {
      const record = await store.findInvocationByKey(idempotency_key)
      if (record === undefined)
        throw new ServiceError('INVOCATION_NOT_FOUND', 'No invocation here has this Idempotency-Key.')
      return cancel(record.id)
    },

    cancel,

    async *streamEvents(id, after, signal) {
      await getRecord(id)
      const listener = bell.listen(id)
      try {
        let sequence = after
        while (!signal.aborted) {
          const events = await store.listEvents(id, sequence)
          for (const event of events) {
            yield event
            sequence = event.sequence
            if (event.type === 'invocation.finished') return
          }
          if (events.length > 0) continue
          // Nothing will come any more: the reader has seen the end, or its retention is over.
          if (bell.closed || isFinished(await getRecord(id))) return
          await listener.heard(signal)
        }
      } finally {
        listener.stop()
      }
    },

    async recover() {
      const ended = await parts.driver.endOrphans(await store.listProcesses())
      await store.forgetProcesses()
      const interrupted = await store.requeueInterrupted()
      const queued = await store.listQueued()
      if (ended + queued.length > 0) {
        log.info({ orphans_ended: ended, interrupted, queued: queued.length }, 'going on with unfinished invocations')
      }
    },

    async resume() {
      for (const record of await store.listQueued()) runner.enqueue(record)
    },

    async close() {
      closing.abort()
      bell.close()
      // The driver ends its turns itself: a cancel would grant the agents more time than a closing hub has.
      let timer: ReturnType<typeof setTimeout> | undefined
      const limit = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), CLOSE_MS)
      })
      const ended = Promise.all([runner.close(), parts.driver.close()]).then(() => true)
      const in_time = await Promise.race([ended, limit])
      clearTimeout(timer)
      // Those that may still run are looked for at the next start.
      if (in_time) await store.forgetProcesses()
    },
  }
}
