import { useEffect, useState } from 'react'

import { openEventStream } from '../api/event-stream.ts'
import { appendUpdates, EMPTY_LOG, type AgentLog } from './agent-log.ts'

/** Logs by attempt id. */
export type AgentLogs = ReadonlyMap<string, AgentLog>

const NONE: AgentLogs = new Map()

/**
 * Reads what the agents of one workflow said and say, from the first event on. A hidden tab lets go of the stream:
 * browsers have few connections per server, and what was missed is read again.
 */
export function useAgentLogs(workflow_id: string): AgentLogs {
  const [logs, setLogs] = useState(NONE)
  useEffect(() => {
    setLogs(NONE)
    let collected = new Map<string, AgentLog>()
    let last = 0
    let close: (() => void) | undefined
    let frame: number | undefined

    // A replay of thousands of events must not render thousands of times.
    const show = () => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined
        setLogs(new Map(collected))
      })
    }
    const open = () => {
      close ??= openEventStream(
        `/workflows/${workflow_id}/events`,
        {
          onEvent: (event) => {
            last = event.sequence
            if (event.type !== 'agent.update') return
            const { attempt_id } = event.data
            collected.set(attempt_id, appendUpdates(collected.get(attempt_id) ?? EMPTY_LOG, event))
            show()
          },
          onReset: () => {
            collected = new Map()
            show()
          },
          // The page's own stream tells of lost connections.
          onOpen: () => undefined,
          onLost: () => undefined,
        },
        last,
      )
    }
    const onVisibility = () => {
      if (document.visibilityState === 'visible') return open()
      close?.()
      close = undefined
    }
    document.addEventListener('visibilitychange', onVisibility)
    onVisibility()
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      if (frame !== undefined) cancelAnimationFrame(frame)
      close?.()
    }
  }, [workflow_id])
  return logs
}
