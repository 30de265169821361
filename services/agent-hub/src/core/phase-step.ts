import type { Check, InvokeRequest, JsonObject } from '@orchestrator/contract'

import { cancelled, didNothing, failed, type Finish } from './outcome.ts'
import type { Look, TurnOutcome, WorkingCopy } from './ports.ts'
import { readResult, readResultBlock } from './result-block.ts'
import type { RunInput, RunParts } from './run-invocation.ts'
import { findExposed, toCheck } from './secrets.ts'
import type { RunTurn } from './turns.ts'

type Ended = Extract<TurnOutcome, { kind: 'ended' }>

/** One command of Spec Kit, carried out and checked. */
export interface Step {
  /** Of all its turns together. */
  outcome: Ended
  look: Look
  checks: Check[]
  /** Evidence for `result.data`. */
  data?: JsonObject
}

export interface StepParts {
  parts: RunParts
  input: RunInput
  run: RunTurn
  /** What changed in it, and what stood there before, is told as seen from the beginning of the step. */
  working_copy: WorkingCopy
  request: InvokeRequest
}

/**
 * The turn of a command, its checks, one turn to mend what they found, and one to ask for the result where it is
 * missing. A Finish when nothing came of it.
 */
export async function runStep({ parts, input, run, working_copy, request }: StepParts): Promise<Step | Finish> {
  const { record, session, onUpdate } = input
  const first = await run(working_copy, await parts.spec_kit.buildPrompt(request, working_copy))
  if (first.kind !== 'ended') return unfinished(first, session.id)
  let step = await inspect(first)
  let asked = false

  const isSilent = () => didNothing(request, step.look.changes, step.outcome)
  if (isSilent() && readResult(step.outcome).prose !== '') {
    // It said something: perhaps that there was nothing to do, perhaps that its model is out of reach.
    const stopped = await askForResult()
    if (stopped !== undefined) return stopped
  }
  if (isSilent()) {
    const { model_refusal } = step.outcome
    if (model_refusal !== null) {
      return failed(
        `${model_refusal.replace(/[.!?]?$/, '.')} Agent ${record.agent} did nothing then: check the name of the model, its account and its key, and try again.`,
        'agent',
        session.id,
      )
    }
    return failed(
      `Agent ${record.agent} ended its turn without changing a file or giving a result, as agents do when their model refuses or cannot be reached. Look at what it said, check its account and settings, and try again.`,
      'agent',
      session.id,
    )
  }
  const wrong = step.checks.filter((check) => check.level === 'error')
  if (wrong.length > 0) {
    onUpdate({ kind: 'note', text: `${wrong.length} checks failed: the agent is asked once to mend them.` })
    const stopped = await goOn(parts.spec_kit.buildRepairPrompt(request, wrong), 'Mending', joinRepair)
    if (stopped !== undefined) return stopped
  }
  return (await askForResult()) ?? step

  /** Once in a step, and only where there is none. */
  async function askForResult(): Promise<Finish | undefined> {
    if (asked || readResult(step.outcome).result !== undefined) return undefined
    asked = true
    onUpdate({ kind: 'note', text: 'The agent gave no result: it is asked once for it.' })
    return goOn(parts.spec_kit.buildResultPrompt(request), 'Asking for the result', joinResult)
  }

  /** What the first turn brought is still worth a look, whatever becomes of the next. */
  async function goOn(prompt: string, what: string, join: (a: Ended, b: Ended) => Ended): Promise<Finish | undefined> {
    const next = await run(working_copy, prompt)
    if (next.kind === 'cancelled') return unfinished(next, session.id)
    if (next.kind === 'failed') onUpdate({ kind: 'note', text: `${what} failed: ${next.reason}` })
    step = await inspect(next.kind === 'failed' ? step.outcome : join(step.outcome, next))
    return undefined
  }

  async function inspect(outcome: Ended): Promise<Step> {
    const look = await working_copy.look()
    const [exposed, checks] = await Promise.all([
      findExposed(parts.secrets, working_copy, look.changes),
      parts.spec_kit.checkPhase({ request, working_copy, look, text: outcome.text }),
    ])
    return { outcome, look, checks: [...exposed.map(toCheck), ...checks] }
  }
}

export function unfinished(outcome: Exclude<TurnOutcome, { kind: 'ended' }>, session_id: string): Finish {
  if (outcome.kind === 'cancelled') return cancelled(session_id)
  return failed(outcome.reason, outcome.timeout ? 'timeout' : 'agent', session_id)
}

/** A repair turn may answer in a word; the result it does not repeat still stands. */
function joinRepair(before: Ended, repair: Ended): Ended {
  const renewed = repair.result !== null || readResultBlock(repair.text).block !== undefined
  return renewed ? repair : { ...repair, text: `${repair.text}\n\n${before.text}`, result: before.result }
}

/** The answer is the result alone: what was said before stays what was said. */
function joinResult(before: Ended, asked: Ended): Ended {
  return { ...asked, stop_reason: before.stop_reason, text: `${before.text}\n\n${asked.text}` }
}
