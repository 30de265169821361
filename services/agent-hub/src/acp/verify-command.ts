import { mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { Verification, Verifier } from '../core/ports.ts'
import { buildEnvironment, prepareHome } from './environment.ts'
import { StartError, startAgentProcess } from './process-group.ts'
import { wrapOffline, type SandboxState } from './sandbox.ts'

const DRAIN_MS = 500

export interface VerifierOptions {
  /** A line for `/bin/sh`. */
  command: string
  timeout_ms: number
  sandbox: SandboxState
  /** Where a HOME of one run may lie. */
  homes: string
  /** Where the allow-list of the environment takes its values. */
  env: NodeJS.ProcessEnv
}

/**
 * The command comes from the operator and never from the repository: an agent could write there that all is well.
 * What it runs is the agent's work all the same, so it stands behind the same walls, without a network, in a HOME of
 * its own that no agent has seen.
 */
export function createVerifier(o: VerifierOptions): Verifier {
  return {
    command: o.command,
    async run({ working_copy, signal, onProcess }) {
      const { sandbox } = o
      if (sandbox.kind === 'missing') return { kind: 'not_run', reason: sandbox.reason }
      const home = await mkdtemp(join(o.homes, 'verify-'))
      try {
        await prepareHome(home, {})
        // All of it to stderr, of which the last lines are kept.
        const shell = ['/bin/sh', '-c', `exec 1>&2\n${o.command}`] as const
        const command =
          sandbox.kind === 'off' ? shell : await wrapOffline(sandbox.program, { command: shell, home, working_copy })
        const turn_env = { CI: 'true', GIT_CEILING_DIRECTORIES: dirname(working_copy) }
        const env = buildEnvironment({ inherited: o.env, home, profile_env: {}, turn_env })
        const child = await startAgentProcess({ command, cwd: working_copy, env })
        onProcess(child.process)
        return await follow(child, o.timeout_ms, signal)
      } catch (error) {
        if (error instanceof StartError) return { kind: 'not_run', reason: `${error.message}.` }
        throw error
      } finally {
        await rm(home, { recursive: true, force: true })
      }
    },
  }
}

async function follow(
  child: Awaited<ReturnType<typeof startAgentProcess>>,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<Verification> {
  const started = performance.now()
  child.stdin.end()
  const stop = Promise.withResolvers<'timeout' | 'aborted'>()
  const timer = setTimeout(() => stop.resolve('timeout'), timeout_ms)
  const onAbort = (): void => stop.resolve('aborted')
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const ended = await Promise.race([child.exited, stop.promise])
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
  const exit_code = /^exit code (\d+)$/.exec(ended)?.[1]
  // The last lines may still be in the pipe; what the command left running may hold it open for ever.
  if (exit_code !== undefined) await Promise.race([child.closed, delay(DRAIN_MS)])
  await child.end(0)
  return {
    kind: 'ran',
    exit_code: exit_code === undefined ? null : Number(exit_code),
    timed_out: ended === 'timeout',
    duration_ms: Math.round(performance.now() - started),
    tail: child.last_words,
  }
}
