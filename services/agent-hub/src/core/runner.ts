import type { Bell } from './bell.ts'
import { featureLane, memoryOf, type Lanes } from './lanes.ts'
import { cancelled, failed, type Finish } from './outcome.ts'
import { pause } from './pause.ts'
import type { AgentProcess, Telemetry } from './ports.ts'
import { retryMs, retryUntilDone } from './retry.ts'
import { openWorkingCopy, RUNS_MAX, runInvocation, type RunInput, type RunParts } from './run-invocation.ts'
import type { InvocationRecord, SessionRecord } from './store.ts'
import { createUpdateBuffer, type UpdateBuffer } from './update-buffer.ts'

/** An agent may wait for its session's next turn after an invocation; longer than this it never does. */
const PROCESS_MEMORY_MS = 15 * 60_000

export interface RunnerParts extends RunParts {
  lanes: Lanes
  telemetry: Telemetry
}

type Begun = Omit<RunInput, 'signal' | 'closing' | 'onUpdate' | 'flushUpdates'>

/** What is in a lane. */
export interface Entry extends Pick<InvocationRecord, 'id' | 'agent' | 'workspace' | 'feature_id'> {
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

/** Carries out what is queued: one at a time for each feature, a bounded number in all. */
export interface Runner {
  /** Begins it when it is its lane's turn, and tries again what could not be begun. */
  enqueue(entry: Entry): void
  /** Takes out what has not begun. Answers whether it was still waiting. */
  remove(id: string): boolean
  /** Cancels it where it runs, and answers whether it does. */
  cancel(id: string): boolean
  /** Begins nothing more. Resolves when all that runs has ended. */
  close(): Promise<void>
}

/** The bell rings at every step. What the `closing` hub interrupts stays as it is on record, for the next start. */
export function createRunner(parts: RunnerParts, { bell, closing }: { bell: Bell; closing: AbortSignal }): Runner {
  const { store, log, lanes } = parts
  const running = new Map<string, Running>()

  const timestamp = () => parts.now().toISOString()

  const enqueue = (entry: Entry) =>
    lanes.add({
      lane: featureLane(entry.workspace, entry.feature_id),
      id: entry.id,
      memory_mb: memoryOf(parts.registry, entry.agent),
      run: async () => runQueued(entry),
    })

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
    await pause(retryMs(failures), closing)
    if (!closing.aborted) enqueue({ ...entry, fresh: undefined, failures })
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
        closing,
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
        closing,
        onUpdate: buffer.add,
        flushUpdates: buffer.flush,
      })
      const interrupted = closing.aborted && !run.cancelled && finish.status !== 'succeeded'
      return interrupted ? undefined : finish
    } catch (error) {
      if (closing.aborted) return undefined
      const { record, session } = begun
      log.error({ err: error, invocation_id: record.id }, 'the invocation failed for a reason of the hub’s own')
      // A full disk refuses also what is recorded of a turn that was cancelled.
      if (run.cancelled) return cancelled(session.id)
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

  function cancel(id: string): boolean {
    const run = running.get(id)
    if (run === undefined) return false
    run.cancelled = true
    run.controller.abort()
    return true
  }

  return { enqueue, remove: (id) => lanes.remove(id), cancel, close: async () => lanes.close() }
}
