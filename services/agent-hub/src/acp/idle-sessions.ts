import type { AgentSession } from './agent-session.ts'

/** Agents that wait for the next turn of their session: a rework then needs no start. */
export interface IdleSessions {
  /** The session's agent, when it is alive and was kept under the same description. One that does not fit is ended first. */
  take(session_id: string, description: string): Promise<AgentSession | undefined>
  /** The session's agent, which goes on waiting. */
  find(session_id: string): AgentSession | undefined
  keep(session_id: string, waiting: Waiting): void
  /** Those that waited longest give way until the others take no more than so much. Resolves when they are gone. */
  shrinkTo(memory_mb: number): Promise<void>
  /** Ends the session's agent, if there is one. */
  end(session_id: string): Promise<void>
  /** Ends all that wait in a working copy. Answers, once they are gone, whether any was still there. */
  endIn(working_copy: string): Promise<boolean>
  /** Ends all, and every one that is kept after that. */
  close(): Promise<void>
}

export interface Waiting {
  session: AgentSession
  description: string
  working_copy: string
  /** What it is counted for while it waits. */
  memory_mb: number
}

interface Idle extends Waiting {
  timer: NodeJS.Timeout
}

interface Ending {
  working_copy: string
  done: Promise<void>
}

/** At most `max` agents, each for at most `idle_ms`; the one that waited longest gives way. `end` must not reject. */
export function createIdleSessions(
  o: { max: number; idle_ms: number },
  end: (session: AgentSession) => Promise<void>,
): IdleSessions {
  const idle = new Map<string, Idle>()
  const ending = new Map<string, Ending>()

  const remove = (session_id: string): Idle | undefined => {
    const found = idle.get(session_id)
    if (found !== undefined) clearTimeout(found.timer)
    idle.delete(session_id)
    return found
  }
  const evict = (session_id: string): void => {
    const found = remove(session_id)
    if (found === undefined) return
    const done = end(found.session).finally(() => {
      if (ending.get(session_id)?.done === done) ending.delete(session_id)
    })
    ending.set(session_id, { working_copy: found.working_copy, done })
  }
  const allEnded = async () => Promise.all([...ending.values()].map(async ({ done }) => done))

  return {
    async take(session_id, description) {
      if (idle.get(session_id)?.description === description) return remove(session_id)?.session
      evict(session_id)
      // Its HOME is the session's: the next one may only begin there when the last is gone.
      await ending.get(session_id)?.done
      return undefined
    },
    find: (session_id) => idle.get(session_id)?.session,
    keep(session_id, waiting) {
      evict(session_id)
      const timer = setTimeout(() => evict(session_id), o.idle_ms)
      timer.unref()
      idle.set(session_id, { ...waiting, timer })
      // One that dies while it waits is not offered again.
      waiting.session.broken.catch(() => {
        if (idle.get(session_id)?.session === waiting.session) evict(session_id)
      })
      for (const longest of idle.keys()) {
        if (idle.size <= o.max) break
        evict(longest)
      }
    },
    async shrinkTo(memory_mb) {
      let taken = [...idle.values()].reduce((sum, waiting) => sum + waiting.memory_mb, 0)
      for (const [session_id, waiting] of idle) {
        if (taken <= memory_mb) break
        taken -= waiting.memory_mb
        evict(session_id)
      }
      await allEnded()
    },
    async end(session_id) {
      evict(session_id)
      await ending.get(session_id)?.done
    },
    async endIn(working_copy) {
      for (const [session_id, waiting] of idle) if (waiting.working_copy === working_copy) evict(session_id)
      const there = [...ending.values()].filter((one) => one.working_copy === working_copy)
      await Promise.all(there.map(async ({ done }) => done))
      return there.length > 0
    },
    async close() {
      for (const session_id of idle.keys()) evict(session_id)
      await allEnded()
    },
  }
}
