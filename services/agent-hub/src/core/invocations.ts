import { ServiceError, type Invocation, type InvocationEvent, type InvokeRequest } from '@orchestrator/contract'

import { createBell } from './bell.ts'
import { digestRequest } from './digest.ts'
import { featureLane, memoryOf, type Lanes } from './lanes.ts'
import { cancelled, failed, type Finish } from './outcome.ts'
import { openWorkingCopy, RUNS_MAX, runInvocation, type RunInput, type RunParts } from './run-invocation.ts'
import { isFinished, toInvocation, type InvocationRecord, type SessionRecord } from './store.ts'
import { pause } from './pause.ts'
import type { AgentProcess, Telemetry } from './ports.ts'
import { retryMs, retryUntilDone } from './retry.ts'
import { createUpdateBuffer, type UpdateBuffer } from './update-buffer.ts'

export const DEFAULT_WORKSPACE = 'default'

/** An agent may wait for its session's next turn after an invocation; longer than this it never does. */
const PROCESS_MEMORY_MS = 15 * 60_000

/** How long a closing hub waits for its agents to let go. */
const CLOSE_MS = 4000

export interface InvocationsParts extends RunParts {
  lanes: Lanes
  telemetry: Telemetry
}

/** Starts, follows, cancels and resumes invocations: one at a time for each feature, a bounded number in all. */
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
  /** Reaches the agent. Of a finished one it changes nothing. */
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

type Begun = Omit<RunInput, 'signal' | 'closing' | 'onUpdate' | 'flushUpdates'>

/** What is in a lane. */
interface Entry extends Pick<InvocationRecord, 'id' | 'agent' | 'workspace' | 'feature_id'> {
  traceparent?: string | undefined
  /** How often it could not even be begun. */
  failures?: number
  /** Of a new one, which is still being written down: `created` rejects when it is not to be. */
  fresh?: { created: Promise<void>; session_id: string | undefined } | undefined
}

interface Running {
  controller: AbortController
  /** By a caller; otherwise an aborted run is one that the closing hub interrupted. */
  cancelled: boolean
}

export function createInvocations(parts: InvocationsParts): Invocations {
  const { store, log, lanes } = parts
  const bell = createBell()
  const running = new Map<string, Running>()
  const closing = new AbortController()

  const timestamp = () => parts.now().toISOString()

  async function runQueued(entry: Entry): Promise<void> {
    const { id } = entry
    const run: Running = { controller: new AbortController(), cancelled: false }
    running.set(id, run)
    try {
      await begin(entry, run)
    } catch (error) {
      void queueAgain(entry, error)
    } finally {
      running.delete(id)
      bell.ring(id)
    }
  }

  /**
   * The disk was full, for one. It waits outside of its lane, where one row that cannot be read would hold up the
   * others; that it is still to be run is looked up when its turn comes.
   */
  async function queueAgain(entry: Entry, error: unknown): Promise<void> {
    const failures = (entry.failures ?? 0) + 1
    if (failures === 1)
      log.error({ err: error, invocation_id: entry.id }, 'the invocation could not be begun; it is tried again')
    await pause(retryMs(failures), closing.signal)
    if (!closing.signal.aborted) enqueue({ ...entry, fresh: undefined, failures })
  }

  async function begin(entry: Entry, run: Running): Promise<void> {
    const { fresh, traceparent } = entry
    // The files are made ready while it is written down that there is this work, and that it begins.
    const open = (record: Pick<InvocationRecord, 'workspace' | 'feature_id' | 'prepared'>) => {
      const opening = openWorkingCopy(parts, record, fresh?.created)
      opening.catch(() => {})
      return opening
    }
    let working_copy = fresh && open({ ...entry, prepared: null })
    try {
      let asked = fresh?.session_id
      if (fresh === undefined) {
        const queued = await store.findInvocation(entry.id)
        if (queued?.status !== 'queued') return
        if (queued.runs < RUNS_MAX) working_copy = open(queued)
        asked = queued.session_id ?? queued.request.session_id
      }
      const session = await chooseSession(entry, asked)
      const kept = parts.driver.findKept(session.id)
      const record = await start(entry, session, kept)
      if (record !== undefined)
        await carryOut({ record, session, recorded_process: kept, working_copy, traceparent }, run)
    } finally {
      // Whatever came of it: who is next in the lane opens the same files.
      await working_copy?.catch(() => {})
    }
  }

  /** A new one begins in the same commit that writes it down. */
  async function start(
    { id, fresh }: Entry,
    session: SessionRecord,
    kept: AgentProcess | undefined,
  ): Promise<InvocationRecord | undefined> {
    const starting = store.startInvocation(id, session, timestamp(), kept)
    const [created, started] = await Promise.allSettled([fresh?.created, starting])
    // Whoever asked for it is told why it could not be written down.
    if (created.status === 'rejected') return undefined
    if (started.status === 'rejected') throw started.reason
    return started.value
  }

  async function carryOut(begun: Begun, run: Running): Promise<void> {
    const { record, session, traceparent } = begun
    const { id } = record
    bell.ring(id)
    const { agent, feature_id, request } = record
    const { workflow_type, parameters } = request
    const { workflow_id } = parameters
    const watch = parts.telemetry.begin({ id, agent, feature_id, workflow_type, workflow_id, traceparent })
    const buffer = createUpdateBuffer({
      write: async (updates) => {
        await store.appendUpdates(id, updates, timestamp())
        bell.ring(id)
      },
      onError: (error) => log.error({ err: error, invocation_id: id }, 'what the agent did could not be recorded'),
    })
    run.cancelled ||= record.cancel_requested_at !== null
    const finish = run.cancelled
      ? cancelled(session.id)
      : await finishOf({ ...begun, traceparent: watch.traceparent }, run, buffer)
    await buffer.flush()
    watch.ended(finish?.status ?? 'queued')
    if (finish === undefined) return
    await Promise.all([
      writeFinish(id, finish),
      store
        .forgetProcesses(new Date(parts.now().getTime() - PROCESS_MEMORY_MS).toISOString())
        .catch((error: unknown) =>
          log.warn({ err: error, invocation_id: id }, 'ended processes are still on record; the next end forgets them'),
        ),
    ])
  }

  /**
   * Until it is written down: the work is done, and nobody else knows how it ended. Its lane stays taken, for what
   * comes next could not be written down either.
   */
  async function writeFinish(id: string, finish: Finish): Promise<void> {
    const ended = { ...finish, now: timestamp() }
    const tell = (error: unknown, next: string) =>
      log.error({ err: error, invocation_id: id }, `how the invocation ended could not be written down; ${next}`)
    try {
      await retryUntilDone(async () => store.finishInvocation(id, 'running', ended), {
        closing: closing.signal,
        onFirstFailure: (error) => tell(error, 'it is tried again'),
      })
      bell.ring(id)
    } catch (error) {
      tell(error, 'the next start goes on with it')
    }
  }

  /** Undefined when the closing hub interrupted it: it stays as it is, for the next start. */
  async function finishOf(begun: Begun, run: Running, buffer: UpdateBuffer): Promise<Finish | undefined> {
    try {
      const finish = await runInvocation(parts, {
        ...begun,
        signal: run.controller.signal,
        closing: closing.signal,
        onUpdate: buffer.add,
        flushUpdates: buffer.flush,
      })
      const interrupted = closing.signal.aborted && !run.cancelled && finish.status !== 'succeeded'
      return interrupted ? undefined : finish
    } catch (error) {
      if (closing.signal.aborted) return undefined
      const { record, session } = begun
      log.error({ err: error, invocation_id: record.id }, 'the invocation failed for a reason of the hub’s own')
      const reason = error instanceof Error ? error.message : String(error)
      return failed(`The hub could not do its part: ${reason}. See its log, then try again.`, 'workspace', session.id)
    }
  }

  /** The one asked for when it is this agent's and this feature's; a forgotten one must not stop the work. */
  async function chooseSession(entry: Entry, asked: string | undefined): Promise<SessionRecord> {
    const found = asked === undefined ? undefined : await store.findSession(asked)
    const { agent, workspace, feature_id } = entry
    const fits = found?.agent === agent && found.workspace === workspace && found.feature_id === feature_id
    if (found !== undefined && fits) return found
    return { id: crypto.randomUUID(), agent, workspace, feature_id, acp_session_id: null, created_at: timestamp() }
  }

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

  const enqueue = (entry: Entry) =>
    lanes.add({
      lane: featureLane(entry.workspace, entry.feature_id),
      id: entry.id,
      memory_mb: memoryOf(parts.registry, entry.agent),
      run: async () => runQueued(entry),
    })

  async function cancel(id: string): Promise<Invocation> {
    const record = await getRecord(id)
    if (isFinished(record)) return toInvocation(record)
    // Before it is written down: the agent may be what fills the disk.
    endRun(id)
    await store.requestCancel(id, timestamp())
    if (!endRun(id)) await finishCancelled(record)
    return toInvocation(await getRecord(id))
  }

  /** Answers whether it runs. */
  function endRun(id: string): boolean {
    const run = running.get(id)
    if (run === undefined) return false
    run.cancelled = true
    run.controller.abort()
    return true
  }

  /** One that does not run: it waits for its lane, or for another try after one that failed. */
  async function finishCancelled(record: InvocationRecord): Promise<void> {
    const { id } = record
    const waited = lanes.remove(id)
    try {
      const { status, session_id } = await getRecord(id)
      if (isFinished({ status })) return
      await store.finishInvocation(id, status, { ...cancelled(session_id), now: timestamp() })
    } catch (error) {
      // It ends when its turn comes: that somebody asked for it is written down.
      if (waited) enqueue(record)
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
      enqueue({ ...work, traceparent, fresh: { created, session_id: request.session_id } })
      await created.catch(() => lanes.remove(id))
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
      for (const record of await store.listQueued()) enqueue(record)
    },

    async close() {
      closing.abort()
      bell.close()
      // The driver ends its turns itself: a cancel would grant the agents more time than a closing hub has.
      let timer: ReturnType<typeof setTimeout> | undefined
      const limit = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), CLOSE_MS)
      })
      const ended = Promise.all([lanes.close(), parts.driver.close()]).then(() => true)
      const in_time = await Promise.race([ended, limit])
      clearTimeout(timer)
      // Those that may still run are looked for at the next start.
      if (in_time) await store.forgetProcesses()
    },
  }
}
