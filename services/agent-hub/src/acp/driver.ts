import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

import type { Usage } from '@orchestrator/contract'
import type pino from 'pino'

import type { AgentDriver, AgentTurn, TurnOutcome } from '../core/ports.ts'
import { createSecrets, type Secrets } from '../core/secrets.ts'
import { AbortedError, AgentFailure, explain } from './agent-failure.ts'
import { waitAtMost } from './clocks.ts'
import type { AgentSession } from './agent-session.ts'
import { createIdleSessions } from './idle-sessions.ts'
import type { Walls } from './permission-policy.ts'
import { endOrphan, StartError } from './process-group.ts'
import { readPromptResponse, type Tokens } from './session-updates.ts'
import { createTurnListener } from './turn-listener.ts'
import { createUpdateMerger } from './update-merger.ts'

/** Between SIGTERM and SIGKILL for an agent that has nothing left to do. */
const END_GRACE_MS = 1_000
/** What an agent gets to stop its turn when the hub itself stops. */
const SHUTDOWN_GRACE_MS = 3_000

export interface AgentDriverOptions {
  logger: Pick<pino.Logger, 'info' | 'warn' | 'error' | 'debug'>
  /** How many agents may stay alive between two turns of a session, and how long each. */
  keep_alive?: { max: number; idle_ms: number }
  /** What all agents together may take, by what their profiles say; those that wait give way to those that work. */
  memory_mb?: number
  /** Where the allow-list of an agent's environment takes its values; the hub's own by default. */
  env?: NodeJS.ProcessEnv
  /** What no agent may tell on; none by default. */
  secrets?: Secrets
}

/** Why we stopped a turn before the agent ended it. */
type Stop = 'cancelled' | 'closing' | { timeout: string }

/**
 * Runs turns of agents over ACP. Every process that it starts is the leader of a group of its own, and ends with
 * it: after a failed or cancelled turn at once, after a good one when nobody came back in time.
 */
export function createAgentDriver(o: AgentDriverOptions): AgentDriver {
  const inherited = o.env ?? process.env
  const secrets = o.secrets ?? createSecrets({})
  const idle = createIdleSessions(o.keep_alive ?? { max: 4, idle_ms: 60_000 }, async (session) => {
    await session.end(END_GRACE_MS)
  })
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const { memory_mb = Number.POSITIVE_INFINITY } = o
  let working_mb = 0

  const runTurn = async (turn: AgentTurn): Promise<TurnOutcome> => {
    if (closing.signal.aborted) return failed(turn, new AgentFailure('was not started, because the hub is stopping'))
    if (turn.signal.aborted) return { kind: 'cancelled', usage: null }
    const folder = await stat(turn.working_copy).catch(() => undefined)
    if (folder?.isDirectory() !== true) {
      return failed(turn, new AgentFailure(`was not started, because ${turn.working_copy} is no folder`))
    }
    const key = describeSession(turn, folder)
    const deliver = guard(turn, secrets, o.logger)
    const { session_id, working_copy } = turn
    const prompt = async (session: AgentSession, onUpdate: AgentTurn['onUpdate']): Promise<TurnOutcome> => {
      const outcome = await promptSession(session, turn, { closing: closing.signal, secrets, deliver: onUpdate })
      session.listen(undefined)
      if (outcome.kind === 'ended' && !closing.signal.aborted)
        idle.keep(session_id, { session, description: key, working_copy, memory_mb: turn.agent.memory_mb })
      else await session.end(0)
      return outcome
    }

    const kept = await idle.take(turn.session_id, key)
    if (kept !== undefined) {
      turn.onProcess(kept.child.process)
      let heard = false
      const outcome = await prompt(kept, (update) => {
        heard = true
        deliver(update)
      })
      // An agent may die in the very moment in which it is taken up again: it has then seen nothing of the prompt.
      if (outcome.kind !== 'failed' || outcome.timeout || heard || !(await isBroken(kept))) return outcome
    }
    await idle.shrinkTo(memory_mb - working_mb)
    try {
      const signal = AbortSignal.any([turn.signal, closing.signal])
      // With the first turn only: a hub that waits for work needs no protocol in memory.
      const { openAgentSession } = await import('./agent-session.ts')
      return await prompt(await openAgentSession({ ...turn, signal, onUpdate: deliver }, inherited), deliver)
    } catch (error) {
      if (error instanceof AbortedError) return { kind: 'cancelled', usage: null }
      return failed(turn, error)
    }
  }

  return {
    async run(turn) {
      const started = performance.now()
      working_mb += turn.agent.memory_mb
      const work = runTurn(turn).catch((error: unknown): TurnOutcome => {
        o.logger.error({ err: error, agent: turn.agent.name }, 'A turn failed for a reason of our own')
        return failed(turn, error)
      })
      running.add(work)
      const outcome = secrets.hide(await work)
      running.delete(work)
      working_mb -= turn.agent.memory_mb
      void idle.shrinkTo(memory_mb - working_mb)
      o.logger.info(
        {
          agent: turn.agent.name,
          session_id: turn.session_id,
          outcome: outcome.kind,
          ...(outcome.kind === 'failed' && { reason: outcome.reason }),
          duration_ms: Math.round(performance.now() - started),
        },
        'Agent turn finished',
      )
      return outcome
    },
    async endOrphans(processes) {
      const ended = await Promise.all(processes.map(endOrphan))
      return ended.filter(Boolean).length
    },
    findKept: (session_id) => idle.find(session_id)?.child.process,
    async endSession(session_id) {
      await idle.end(session_id)
    },
    endKeptIn: async (working_copy) => idle.endIn(working_copy),
    async close() {
      closing.abort()
      await Promise.all([idle.close(), ...running])
    },
  }
}

async function isBroken(session: AgentSession): Promise<boolean> {
  const broken = session.broken.then(
    () => true,
    () => true,
  )
  return Promise.race([broken, new Promise<false>((resolve) => setImmediate(resolve, false))])
}

async function promptSession(
  session: AgentSession,
  turn: AgentTurn,
  o: { closing: AbortSignal; secrets: Secrets; deliver: AgentTurn['onUpdate'] },
): Promise<TurnOutcome> {
  const { limits } = turn
  const { closing } = o
  const stop = Promise.withResolvers<Stop>()
  const merger = createUpdateMerger(o.deliver, o.secrets.mayGoOn)
  const turnClock = setTimeout(
    () => stop.resolve({ timeout: `was still at work after ${seconds(limits.turn_ms)}, the longest a turn may take` }),
    limits.turn_ms,
  )
  const idleClock = setTimeout(
    () => stop.resolve({ timeout: `gave no sign of life for ${seconds(limits.idle_ms)}` }),
    limits.idle_ms,
  )
  const onAbort = (): void => stop.resolve('cancelled')
  const onClosing = (): void => stop.resolve('closing')
  turn.signal.addEventListener('abort', onAbort, { once: true })
  closing.addEventListener('abort', onClosing, { once: true })
  if (turn.signal.aborted) onAbort()
  if (closing.aborted) onClosing()

  const listener = createTurnListener({
    working_copy: turn.working_copy,
    walls: wallsOf(turn.agent),
    push: (update) => merger.push(update),
    onSign: () => idleClock.refresh(),
  })
  session.listen(listener)
  /** As far as the agent has told. */
  const usageWith = (closing: Partial<Tokens>): Usage | null => {
    const cost_usd = listener.cost_usd === null ? null : Math.max(0, listener.cost_usd - session.spent_usd)
    return toUsage({ ...listener.tokens, ...closing }, cost_usd)
  }
  try {
    const prompting = session.prompt(turn.prompt, turn.traceparent)
    const ended = Promise.race([prompting, session.broken])
    const first = await Promise.race([ended.then((response) => ({ response })), stop.promise])
    if (typeof first === 'object' && 'response' in first) {
      const result = readPromptResponse(first.response)
      const usage = usageWith(tokensOf(result))
      session.spent_usd = listener.cost_usd ?? session.spent_usd
      return {
        kind: 'ended',
        stop_reason: result.stop_reason,
        text: listener.closing_text,
        result: listener.result,
        acp_session_id: session.acp_session_id,
        usage,
        model: result.model ?? session.model,
        model_refusal: listener.model_refusal,
      }
    }
    session.cancel()
    const grace = first === 'closing' ? Math.min(limits.cancel_grace_ms, SHUTDOWN_GRACE_MS) : limits.cancel_grace_ms
    await waitAtMost(ended, grace)
    return typeof first === 'object'
      ? failed(turn, withRefusal(new AgentFailure(first.timeout, true), listener.model_refusal), usageWith({}))
      : { kind: 'cancelled', usage: usageWith({}) }
  } catch (error) {
    // A cancel and the death of the agent may meet: what we asked for is what happened.
    if (turn.signal.aborted) return { kind: 'cancelled', usage: usageWith({}) }
    return failed(turn, withRefusal(await explain(error, session.broken), listener.model_refusal), usageWith({}))
  } finally {
    listener.onUnroutable(await session.takeUnroutable())
    turn.onTraffic?.(listener.traffic)
    clearTimeout(turnClock)
    clearTimeout(idleClock)
    turn.signal.removeEventListener('abort', onAbort)
    closing.removeEventListener('abort', onClosing)
    merger.close()
  }
}

/** Why an agent fails is often what its model's server said last, which it may keep to itself. */
function withRefusal(failure: Error, model_refusal: string | null): Error {
  if (!(failure instanceof AgentFailure) || model_refusal === null) return failure
  return new AgentFailure(`${sentence(failure.message)} ${model_refusal}`, failure.timeout)
}

function failed(turn: AgentTurn, error: unknown, usage: Usage | null = null): TurnOutcome {
  const name = `The agent "${turn.agent.name}"`
  if (error instanceof AgentFailure)
    return { kind: 'failed', reason: sentence(`${name} ${error.message}`), timeout: error.timeout, usage }
  if (error instanceof StartError) {
    const remedy = turn.agent.install === null ? '' : ` Install it with "${turn.agent.install}".`
    return {
      kind: 'failed',
      reason: `${sentence(`${name} could not be started: ${error.message}`)}${remedy}`,
      timeout: false,
      usage,
    }
  }
  const why = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', reason: sentence(`${name} could not be run: ${why}`), timeout: false, usage }
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

function wallsOf({ sandbox }: AgentTurn['agent']): Walls {
  if (sandbox === undefined) return 'none'
  return sandbox.network === 'none' ? 'all' : 'files'
}

/** A listener that throws must not end the agent. */
function guard(turn: AgentTurn, secrets: Secrets, logger: AgentDriverOptions['logger']): AgentTurn['onUpdate'] {
  return (update) => {
    try {
      turn.onUpdate(secrets.hide(update))
    } catch (error) {
      logger.error({ err: error, agent: turn.agent.name }, 'An update of an agent was not taken')
    }
  }
}

/** A process goes on only for the same agent, environment and folder: another folder of the same name is another one. */
function describeSession(turn: AgentTurn, { dev, ino }: Stats): string {
  return JSON.stringify([turn.agent, turn.home, turn.working_copy, dev, ino, turn.env])
}

/** What the answer to the prompt tells counts more than what was told on the way. */
function tokensOf({ input_tokens, output_tokens }: Tokens): Partial<Tokens> {
  return input_tokens === null && output_tokens === null ? {} : { input_tokens, output_tokens }
}

function toUsage({ input_tokens, output_tokens }: Tokens, cost_usd: number | null): Usage | null {
  return input_tokens === null && output_tokens === null && cost_usd === null
    ? null
    : { input_tokens, output_tokens, cost_usd }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
