import { ServiceError, type AskRequest, type AskResponse, type FeatureId } from '@orchestrator/contract'

import { DEFAULT_WORKSPACE } from './invocations.ts'
import { featureLane, type Lanes } from './lanes.ts'
import type { AgentProfile, QuestionInput, TurnOutcome } from './ports.ts'
import { readResult } from './result-block.ts'
import type { RunParts } from './run-invocation.ts'
import type { SessionRecord } from './store.ts'
import { createTurns, type Turns } from './turns.ts'

/** A question is no phase: it may take this long at most. */
const ASK_SECONDS_MAX = 900

export interface AsksParts extends RunParts {
  lanes: Lanes
  /** 0 to 100: below it a person is asked. */
  confidence_min: number
}

export type Question = QuestionInput & Pick<AskRequest, 'session_id' | 'workspace'>

export type Answer = Pick<AskResponse, 'answer' | 'confidence'> & { rationale: string | null }

/** Puts questions to agents: one at a time for each feature, beside no other work in its files. */
export interface Asks {
  /** Throws SESSION_NOT_FOUND, AGENT_NOT_FOUND, AGENT_UNAVAILABLE, AGENT_TIMEOUT, UNAVAILABLE. */
  ask(question: Question, signal: AbortSignal): Promise<AskResponse>
  /** Without a person to turn to: the answer as it is, however sure. */
  answer(question: Question & { session_id: string }, signal: AbortSignal): Promise<Answer>
  /** Whether a session is in use by a question. */
  isBusy(session_id: string): boolean
  isSure(answer: Answer): boolean
}

export function createAsks(parts: AsksParts): Asks {
  const { store, conversations, lanes, registry } = parts
  const busy = new Map<string, number>()
  const timestamp = () => parts.now().toISOString()
  const isSure = (answer: Answer) => answer.answer !== '' && answer.confidence >= parts.confidence_min

  async function getSession(question: Question): Promise<SessionRecord> {
    const { session_id: id, feature_id } = question
    if (id === undefined) return openSession(feature_id, question.workspace ?? DEFAULT_WORKSPACE)
    const session = await store.findSession(id)
    if (session === undefined) throw new ServiceError('SESSION_NOT_FOUND', `There is no session ${id} here.`)
    if (session.feature_id === feature_id) return session
    const message = `is about ${session.feature_id}, not about ${feature_id}`
    throw new ServiceError('VALIDATION_ERROR', `Session ${id} ${message}.`, {
      details: [{ field: 'session_id', message }],
    })
  }

  async function openSession(feature_id: FeatureId, workspace: string): Promise<SessionRecord> {
    parts.workspaces.assertKnown(workspace)
    const { name: agent } = registry.getAgent('default')
    const session: SessionRecord = {
      id: crypto.randomUUID(),
      agent,
      workspace,
      feature_id,
      acp_session_id: null,
      created_at: timestamp(),
    }
    await conversations.createSession(session)
    return session
  }

  /** In its turn within the feature's lane; a caller that leaves takes it out of the queue. */
  async function inLane<T>(session: SessionRecord, agent: AgentProfile, signal: AbortSignal, work: () => Promise<T>) {
    const id = crypto.randomUUID()
    const done = Promise.withResolvers<T>()
    const leave = () => {
      if (lanes.remove(id)) done.reject(new ServiceError('UNAVAILABLE', 'The question was taken back.'))
    }
    signal.addEventListener('abort', leave, { once: true })
    lanes.add({
      lane: featureLane(session.workspace, session.feature_id),
      id,
      memory_mb: agent.memory_mb,
      run: async () => work().then(done.resolve, done.reject),
    })
    try {
      return await done.promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  async function put(question: Question, session: SessionRecord, signal: AbortSignal): Promise<Answer> {
    const working_copy = await parts.workspaces.open(session.workspace, session.feature_id)
    await conversations.useSession(session.id, timestamp())
    await working_copy.reset()
    let turns: Turns | undefined
    try {
      turns = createTurns(parts, {
        agent: session.agent,
        model: undefined,
        session: (await store.findSession(session.id)) ?? session,
        signal,
        timeout_seconds: ASK_SECONDS_MAX,
        traceparent: undefined,
        about: { kind: 'ask', topic: question.topic, invocation_id: null },
        onUpdate: () => {},
        recordProcess: async (agent_process) => conversations.recordSessionProcess(session.id, agent_process),
      })
      const outcome = await turns.run(working_copy, parts.spec_kit.buildQuestionPrompt(question, working_copy))
      if (outcome.kind !== 'ended') throw unanswered(outcome)
      const { result, prose } = readResult(outcome)
      const answer = result?.summary ?? prose
      return { answer, rationale: prose === '' || prose === answer ? null : prose, confidence: result?.confidence ?? 0 }
    } finally {
      // A question changes nothing, whatever the agent made of it.
      await Promise.all([working_copy.reset(), turns?.recorded()])
    }
  }

  async function answer(question: Question, session: SessionRecord, signal: AbortSignal): Promise<Answer> {
    const agent = registry.getAgent(session.agent)
    busy.set(session.id, (busy.get(session.id) ?? 0) + 1)
    try {
      return await inLane(session, agent, signal, async () => put(question, session, signal))
    } finally {
      const left = (busy.get(session.id) ?? 1) - 1
      if (left === 0) busy.delete(session.id)
      else busy.set(session.id, left)
    }
  }

  return {
    async ask(question, signal) {
      const session = await getSession(question)
      const given = await answer(question, session, signal)
      if (isSure(given)) return { ...given, status: 'resolved', session_id: session.id, escalation_id: null }
      const now = timestamp()
      const id = crypto.randomUUID()
      await conversations.createEscalation({
        ...given,
        id,
        status: 'pending',
        topic: question.topic,
        question: question.question,
        feature_id: session.feature_id,
        session_id: session.id,
        action: null,
        note: null,
        acted_by: null,
        created_at: now,
        updated_at: now,
      })
      return { ...given, status: 'pending_human', session_id: session.id, escalation_id: id }
    },
    answer: async (question, signal) => answer(question, await getSession(question), signal),
    isBusy: (session_id) => busy.has(session_id),
    isSure,
  }
}

function unanswered(outcome: Exclude<TurnOutcome, { kind: 'ended' }>): ServiceError {
  if (outcome.kind === 'cancelled')
    return new ServiceError('UNAVAILABLE', 'The question was taken back, or the hub stops.')
  return new ServiceError(outcome.timeout ? 'AGENT_TIMEOUT' : 'AGENT_UNAVAILABLE', outcome.reason)
}
