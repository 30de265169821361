import type { Feedback, InvocationData } from '@orchestrator/contract'

import type { AgentResult } from './ports.ts'

const OPEN_QUESTIONS_MAX = 100
const FILES_MAX = 2000
const TEXT_MAX = 20_000

/** What was handed in by the hub's tool counts before the fenced block; `prose` is the closing message without that. */
export function readResult(outcome: { text: string; result: AgentResult | null }): {
  result: AgentResult | undefined
  prose: string
} {
  const { block, prose } = readResultBlock(outcome.text)
  return { result: outcome.result ?? block, prose }
}

/** The last block that can be read, and the text without it. An agent may forget it, or write anything into it. */
export function readResultBlock(text: string): { block: AgentResult | undefined; prose: string } {
  const fences = [
    ...text.matchAll(/^[ \t]*```json(?<label>[ \t]+result)?[ \t]*\n(?<body>[\s\S]*?)\n[ \t]*```[ \t]*$/gm),
  ]
  for (const fence of fences.toReversed()) {
    const block = parseBlock(fence.groups?.['body'] ?? '', fence.groups?.['label'] !== undefined)
    if (block === undefined) continue
    const prose = text.slice(0, fence.index) + text.slice(fence.index + fence[0].length)
    return { block, prose: prose.trim() }
  }
  return { block: undefined, prose: text.trim() }
}

function parseBlock(body: string, labelled: boolean): AgentResult | undefined {
  const value = parseObject(body)
  if (value === undefined) return undefined
  // Unlabelled JSON is taken for a result only when it looks like one: agents also show JSON as such.
  if (!labelled && (typeof value['summary'] !== 'string' || !('confidence' in value))) return undefined
  const confidence = value['confidence']
  return {
    summary: readText(value['summary']),
    confidence: typeof confidence === 'number' && Number.isFinite(confidence) ? clamp(confidence) : null,
    files: readTexts(value['files']).slice(0, FILES_MAX),
    open_questions: readTexts(value['open_questions']).slice(0, OPEN_QUESTIONS_MAX),
    threads: readList(value['threads']).flatMap(readThread),
  }
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

const clamp = (confidence: number) => Math.min(100, Math.max(0, confidence))
const readList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

function readText(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, TEXT_MAX) : null
}

const readTexts = (value: unknown): string[] =>
  readList(value)
    .map(readText)
    .filter((text) => text !== null)

function readThread(value: unknown): AgentResult['threads'] {
  if (typeof value !== 'object' || value === null) return []
  const { id, fate, reply } = value as Readonly<Record<string, unknown>>
  if (typeof id !== 'string' || (fate !== 'addressed' && fate !== 'declined')) return []
  return [{ id, fate, reply: readText(reply) }]
}

/** Every comment gets a fate: those that the agent passes over are unanswered, those it makes up are dropped. */
export function answerThreads(
  feedback: Feedback | undefined,
  result: AgentResult | undefined,
): NonNullable<InvocationData['threads']> {
  return (feedback?.threads ?? []).map(({ id }) => {
    const answer = result?.threads.find((thread) => thread.id === id)
    return { id, fate: answer?.fate ?? 'unanswered', reply: answer?.reply ?? null }
  })
}
