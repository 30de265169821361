import type { AgentUpdate } from '@orchestrator/contract'

/** Longest text of one merged update, in characters: a flood becomes more updates, not a larger one. */
const TEXT_MAX = 20_000

/**
 * Joins what an agent said in a row: chunks of one message become one update, and a tool call's later
 * states replace its earlier ones. The order of what remains is kept.
 */
export function mergeUpdates(updates: readonly AgentUpdate[]): AgentUpdate[] {
  const merged: AgentUpdate[] = []
  for (const update of updates) {
    const last = merged.at(-1)
    if (last !== undefined && continues(last, update)) {
      merged[merged.length - 1] = { ...last, text: `${last.text ?? ''}${update.text ?? ''}` }
      continue
    }
    const same = update.tool_call && merged.findIndex((known) => known.tool_call?.id === update.tool_call?.id)
    if (same === undefined || same === -1) merged.push(update)
    else merged[same] = update
  }
  return merged
}

function continues(last: AgentUpdate, update: AgentUpdate): boolean {
  const textual = update.kind === 'message' || update.kind === 'thought'
  return textual && last.kind === update.kind && (last.text?.length ?? 0) + (update.text?.length ?? 0) <= TEXT_MAX
}
