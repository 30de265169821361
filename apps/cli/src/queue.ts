import { COUNTED_MAX, type Queue } from '@orchestrator/contract'

import { askService, type Outputs, type ServiceFlags } from './ask-service.ts'
import type { ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'

export interface PauseFlags extends ServiceFlags {
  reason?: string
}

export function showQueue(flags: ServiceFlags, outputs: Outputs): Promise<ExitCode> {
  return askService(flags, outputs, (client) => client.getQueue(), textOfQueue)
}

export function pauseQueue(flags: PauseFlags, outputs: Outputs): Promise<ExitCode> {
  const { reason } = flags
  return askService(flags, outputs, (client) => client.pauseQueue(reason === undefined ? {} : { reason }), textOfQueue)
}

export function resumeQueue(flags: ServiceFlags, outputs: Outputs): Promise<ExitCode> {
  return askService(flags, outputs, (client) => client.resumeQueue(), textOfQueue)
}

function textOfQueue({ state, paused_at, paused_by, reason, waiting, oldest_waiting_at, at_work }: Queue): string {
  const why = reason === null ? '' : `: ${reason}`
  const head =
    state === 'running' ? 'The queue is running.' : `The queue is paused since ${paused_at} by ${paused_by}${why}.`
  const since = oldest_waiting_at === null ? '' : `, the oldest since ${oldest_waiting_at}`
  return withoutControls(`${head} ${many(waiting)} waiting${since}; ${many(at_work)} at work.`) + '\n'
}

function many(count: number): string {
  return count < COUNTED_MAX ? String(count) : `${COUNTED_MAX} or more`
}
