import type { AgentUpdate, StreamEvent } from '@orchestrator/contract'

type ToolCall = NonNullable<AgentUpdate['tool_call']>

/** One paragraph or row of what an agent says and does. */
export type LogEntry =
  | { kind: 'message' | 'thought' | 'note' | 'permission'; id: number; at: string; text: string }
  | { kind: 'tool_call'; id: number; at: string; call: ToolCall }

/** What is known of the work of one attempt. */
export interface AgentLog {
  entries: readonly LogEntry[]
  plan: NonNullable<AgentUpdate['plan']>
  usage: AgentUpdate['usage']
  last_at: string | null
}

export const EMPTY_LOG: AgentLog = { entries: [], plan: [], usage: undefined, last_at: null }

/** Adds what one event tells of an attempt. Text that follows text of its kind belongs to the same paragraph. */
export function appendUpdates(log: AgentLog, event: Extract<StreamEvent, { type: 'agent.update' }>): AgentLog {
  let next: AgentLog = { ...log, last_at: event.created_at }
  for (const [index, update] of event.data.updates.entries())
    next = appendUpdate(next, update, event.created_at, event.sequence * 1000 + index)
  return next
}

function appendUpdate(log: AgentLog, update: AgentUpdate, at: string, id: number): AgentLog {
  if (update.kind === 'plan') return { ...log, plan: update.plan ?? [] }
  if (update.kind === 'usage') return { ...log, usage: update.usage }
  if (update.kind === 'tool_call')
    return update.tool_call === undefined ? log : { ...log, entries: mergeCall(log.entries, update.tool_call, at, id) }
  const { kind, text } = update
  if (text === undefined || text === '') return log
  const last = log.entries.at(-1)
  const continues = last !== undefined && last.kind === kind && (kind === 'message' || kind === 'thought')
  if (!continues) return { ...log, entries: [...log.entries, { kind, id, at, text }] }
  return { ...log, entries: [...log.entries.slice(0, -1), { ...last, text: last.text + text }] }
}

/** A later report on a call changes its row; what the report leaves out stays. */
function mergeCall(entries: readonly LogEntry[], call: ToolCall, at: string, id: number): LogEntry[] {
  const place = entries.findLastIndex((entry) => entry.kind === 'tool_call' && entry.call.id === call.id)
  const known = entries[place]
  if (known?.kind !== 'tool_call') return [...entries, { kind: 'tool_call', id, at, call }]
  const merged: ToolCall = {
    ...known.call,
    ...call,
    title: call.title === '' ? known.call.title : call.title,
    kind: call.kind ?? known.call.kind,
    status: call.status ?? known.call.status,
    paths: call.paths.length === 0 ? known.call.paths : call.paths,
  }
  return entries.map((entry, index) => (index === place ? { ...known, call: merged } : entry))
}
