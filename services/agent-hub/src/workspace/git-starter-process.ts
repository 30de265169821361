/**
 * Starts git for the hub: see git-starter.ts. Ends when the hub does, and by nothing that is meant for the hub: a
 * terminal sends Ctrl-C to all, and the hub still has work to commit then.
 */
import { executeGit } from './git-process.ts'
import type { FromStarter, ToStarter } from './git-starter.ts'

const inputs = new Map<number, PromiseWithResolvers<string>>()
const answer = (told: FromStarter) => process.send?.(told)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit())
process.on('message', (told: ToStarter) => {
  const { id } = told
  if (told.kind === 'input') return inputs.get(id)?.resolve(told.text)
  if (told.kind === 'no_input') return inputs.get(id)?.reject(new Error('It does not come.'))
  const input = Promise.withResolvers<string>()
  input.promise.catch(() => {})
  inputs.set(id, input)
  // To start one takes long: what others wait for and came with it goes first.
  const run = async () => {
    const end = await executeGit(told.order, input.promise)
    inputs.delete(id)
    answer({ kind: 'ended', id, end })
  }
  setImmediate(() => void run())
})
answer({ kind: 'ready' })
