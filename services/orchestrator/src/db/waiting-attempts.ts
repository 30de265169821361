import type { AttemptId } from '@orchestrator/contract'
import { sql, type Kysely, type NotNull } from 'kysely'

import type { Tables } from './models.ts'
import { prepare, type Prepared } from './prepared.ts'

export interface WaitingAttempt {
  id: AttemptId
  agent: string
  position: number
}

interface Waiting {
  /** Up to which it was handed out. */
  position: number
  /** Came since the last look. */
  more: boolean
}

/**
 * What waits in the database of one process, oldest first over all agents that have a slot. Positions only
 * grow, so that finding the next one never looks at what was handed out before, nor at what waits for an
 * agent without a slot.
 */
export class WaitingAttempts {
  readonly #read: Kysely<Tables>
  readonly #find: Prepared<{ agent: string; after: number; most: number }, { id: AttemptId; position: number }>
  /** Agents for which something may wait. */
  readonly #agents = new Map<string, Waiting>()
  /** The last position that was taken: whatever is enqueued later lies behind it. */
  #last = 0

  constructor(read: Kysely<Tables>) {
    this.#read = read
    // Compared with a value instead of the literal of the index, SQLite would compile it anew on every run.
    this.#find = prepare((value) =>
      read
        .selectFrom('attempts')
        .select(['id', 'position'])
        .where('state', '=', sql.lit('queued'))
        .where('queued_for', '=', value('agent'))
        .where('position', '>', value('after'))
        .orderBy('position')
        .limit(value('most')),
    )
  }

  /** Begins at the beginning, with all that waits. */
  async reset(): Promise<void> {
    const found = await this.#read
      .selectFrom('attempts')
      .select('queued_for')
      .where('state', '=', 'queued')
      .distinct()
      .$narrowType<{ queued_for: NotNull }>()
      .execute()
    // In one turn, and with those that something was enqueued for meanwhile.
    this.#last = 0
    const agents = new Set([...this.#agents.keys(), ...found.map(({ queued_for }) => queued_for)])
    for (const agent of agents) this.#agents.set(agent, { position: 0, more: true })
  }

  /** Something was enqueued for this agent. */
  add(agent: string): void {
    const known = this.#agents.get(agent)
    if (known === undefined) this.#agents.set(agent, { position: this.#last, more: true })
    else known.more = true
  }

  /** At most so many, and of each agent at most so many; what is taken is not found again. */
  async take(limit: number, limitOf: (agent: string) => number): Promise<WaitingAttempt[]> {
    const found: (WaitingAttempt & { waiting: Waiting })[] = []
    const exhausted = new Set<string>()
    for (const [agent, waiting] of this.#agents) {
      const most = Math.min(limit, limitOf(agent))
      if (most <= 0) continue
      waiting.more = false
      const { rows } = await this.#find(this.#read, { agent, after: waiting.position, most })
      found.push(...rows.map((row) => ({ ...row, agent, waiting })))
      if (rows.length < most) exhausted.add(agent)
    }
    found.sort((a, b) => a.position - b.position)
    const taken = found.slice(0, limit)
    for (const { agent } of found.slice(limit)) exhausted.delete(agent)
    // Of what was reset meanwhile another one is known by now, which begins at the beginning.
    for (const { waiting, position } of taken) {
      waiting.position = position
      this.#last = Math.max(this.#last, position)
    }
    // Anybody may name an agent: only those that are waited for are looked at.
    for (const agent of exhausted) if (this.#agents.get(agent)?.more === false) this.#agents.delete(agent)
    return taken
  }

  /** Since when the oldest one has been waiting. */
  async findOldest(): Promise<string | null> {
    const oldest = await Promise.all(
      [...this.#agents.keys()].map((agent) =>
        this.#read
          .selectFrom('attempts')
          .select(['created_at', 'position'])
          .where('state', '=', 'queued')
          .where('queued_for', '=', agent)
          .orderBy('position')
          .limit(1)
          .executeTakeFirst(),
      ),
    )
    const [first] = oldest.filter((row) => row !== undefined).toSorted((a, b) => a.position - b.position)
    return first?.created_at ?? null
  }
}
