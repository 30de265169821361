import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import type { GitEnd, GitOrder } from './git-process.ts'

/*
 * To start a process, a process is copied first, and that takes the longer the more memory it has: 1 ms for a small
 * one, 3 ms and more for a hub at work, in which it does nothing else. While there is work a small process starts git
 * for the hub.
 */

export type ToStarter =
  | { kind: 'run'; id: number; order: GitOrder }
  | { kind: 'input'; id: number; text: string }
  | { kind: 'no_input'; id: number }
export type FromStarter = { kind: 'ready' } | { kind: 'ended'; id: number; end: GitEnd }

/** How long it stays when there is nothing to start. */
const IDLE_MS = 60_000
const PROGRAM = fileURLToPath(new URL('git-starter-process.ts', import.meta.url))

interface Starter {
  child: ChildProcess
  is_ready: boolean
  waiting: Map<number, PromiseWithResolvers<GitEnd>>
  idle: NodeJS.Timeout
}

let starter: Starter | undefined
let last_id = 0

/** Has it there for the next runs of git, which do not wait for it. */
export function warmGitStarter(): void {
  if (starter !== undefined) return void starter.idle.refresh()
  const child = fork(PROGRAM, {
    serialization: 'advanced',
    execArgv: ['--max-semi-space-size=1', '--v8-pool-size=1'],
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const waiting: Starter['waiting'] = new Map()
  const idle = setTimeout(() => (waiting.size === 0 ? child.disconnect() : idle.refresh()), IDLE_MS)
  const own: Starter = { child, is_ready: false, waiting, idle }
  starter = own
  const end = () => {
    clearTimeout(idle)
    if (starter === own) starter = undefined
    for (const { reject } of waiting.values()) reject(new Error('The process that starts git has ended.'))
    waiting.clear()
  }
  child.on('error', end)
  child.on('disconnect', end)
  child.on('message', (told: FromStarter) => {
    if (told.kind === 'ready') own.is_ready = true
    else {
      waiting.get(told.id)?.resolve(told.end)
      waiting.delete(told.id)
      if (waiting.size === 0) child.channel?.unref()
    }
  })
  // It is no reason for the hub to go on.
  idle.unref()
  child.unref()
  child.channel?.unref()
}

/** Undefined where there is no starter that could do it. */
export function startGit(order: GitOrder, input: Promise<string>): Promise<GitEnd> | undefined {
  const own = starter
  if (own?.is_ready !== true || !own.child.connected) return undefined
  const id = (last_id += 1)
  const send = (told: ToStarter) => {
    if (own.child.connected) own.child.send(told)
  }
  const ended = Promise.withResolvers<GitEnd>()
  own.waiting.set(id, ended)
  own.child.channel?.ref()
  own.idle.refresh()
  send({ kind: 'run', id, order })
  input.then(
    (text) => send({ kind: 'input', id, text }),
    () => send({ kind: 'no_input', id }),
  )
  return ended.promise
}
