import type { AgentRegistry } from './ports.ts'

/** Something that an agent is to do. */
export interface LaneEntry {
  /** Of two entries with the same lane, one runs at a time. */
  lane: string
  id: string
  /** What its agent takes, as its profile tells. */
  memory_mb: number
  /** Must not reject. */
  run(): Promise<void>
}

/** Work in lanes: one at a time in each, bounded in all by number and by memory, oldest first. */
export interface Lanes {
  add(entry: LaneEntry): void
  /** Whether something of this lane runs or waits. */
  isBusy(lane: string): boolean
  /** Takes out what has not begun. Answers whether it was still waiting. */
  remove(id: string): boolean
  load(): { running: number; waiting: number; memory_mb: number }
  /** Begins nothing more. Resolves when all that runs has ended. */
  close(): Promise<void>
}

export function createLanes(o: { max_running: number; memory_mb: number }): Lanes {
  const waiting: LaneEntry[] = []
  const busy = new Set<string>()
  const running = new Set<Promise<void>>()
  let taken_mb = 0
  let closed = false

  const begin = (entry: LaneEntry) => {
    busy.add(entry.lane)
    taken_mb += entry.memory_mb
    const ended = entry.run().finally(() => {
      busy.delete(entry.lane)
      taken_mb -= entry.memory_mb
      running.delete(ended)
      advance()
    })
    running.add(ended)
  }

  /** One that is larger than all there is runs alone: refused, it would wait for ever. */
  const fits = (entry: LaneEntry) => running.size === 0 || taken_mb + entry.memory_mb <= o.memory_mb

  const advance = () => {
    while (!closed && running.size < o.max_running) {
      const next = waiting.findIndex((entry) => !busy.has(entry.lane))
      const entry = waiting[next]
      // A large one is not overtaken by small ones behind it, or its turn might never come.
      if (entry === undefined || !fits(entry)) return
      waiting.splice(next, 1)
      begin(entry)
    }
  }

  return {
    add(entry) {
      waiting.push(entry)
      advance()
    },
    isBusy: (lane) => busy.has(lane) || waiting.some((entry) => entry.lane === lane),
    remove(id) {
      const index = waiting.findIndex((entry) => entry.id === id)
      if (index === -1) return false
      waiting.splice(index, 1)
      return true
    },
    load: () => ({ running: running.size, waiting: waiting.length, memory_mb: taken_mb }),
    async close() {
      closed = true
      await Promise.all(running)
    },
  }
}

/** A feature has one working copy, and one agent at a time in it. */
export const featureLane = (workspace: string, feature_id: string) => `${workspace}/${feature_id}`

/** Of an agent that is not there any more it is nothing: its invocation fails without one. */
export function memoryOf(registry: AgentRegistry, agent: string): number {
  try {
    return registry.getAgent(agent).memory_mb
  } catch {
    return 0
  }
}
