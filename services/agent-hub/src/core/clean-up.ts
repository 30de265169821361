import type { ConversationStore } from './conversation-store.ts'
import type { Workspaces } from './ports.ts'
import type { Log } from './run-invocation.ts'
import type { InvocationStore } from './store.ts'

/** A session that nobody used for so long is begun anew when it is asked for. */
const HOME_RETENTION_DAYS = 14

export interface CleanUpParts {
  store: Pick<InvocationStore, 'listQueued'>
  conversations: ConversationStore
  workspaces: Workspaces
  homes: {
    list(): Promise<{ name: string; changed_at: Date }[]>
    remove(name: string): Promise<void>
  }
  now(): Date
  log: Log
}

/**
 * At start, once interrupted work is queued again and before any of it runs: removes what is not needed any more.
 * Work that is uncommitted, or that only the hub has, stays for ever. What cannot be removed is tried at the next
 * start: a full disk must not keep the hub from starting.
 */
export async function cleanUp(parts: CleanUpParts): Promise<void> {
  try {
    const homes = await removeUnusedHomes(parts)
    const queued = Map.groupBy(await parts.store.listQueued(), ({ workspace }) => workspace)
    const working_copies: string[] = []
    for (const { name } of parts.workspaces.list()) {
      const kept = new Set(queued.get(name)?.map(({ feature_id }) => feature_id))
      working_copies.push(...(await parts.workspaces.removeSettled(name, kept)))
    }
    if (homes + working_copies.length > 0)
      parts.log.info({ homes, working_copies }, 'removed what is not needed any more')
  } catch (error) {
    parts.log.warn({ err: error }, 'what is not needed any more could not be removed; the next start tries again')
  }
}

async function removeUnusedHomes({ conversations, homes, now }: CleanUpParts): Promise<number> {
  const unused_since = new Date(now().getTime() - HOME_RETENTION_DAYS * 86_400_000)
  const used = new Set(await conversations.listSessionsUsedSince(unused_since.toISOString()))
  // One without a session that is known was left by a crash, or by a hub with another database: its own age counts.
  const unused = (await homes.list()).filter(({ name, changed_at }) => !used.has(name) && changed_at < unused_since)
  await conversations.forgetAcpSessions(unused_since.toISOString())
  for (const { name } of unused) await homes.remove(name)
  return unused.length
}
