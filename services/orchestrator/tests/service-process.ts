import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { vi } from 'vitest'
import * as z from 'zod'

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const ORCHESTRATOR = pathOf('../src/main.ts')
const AGENT_HUB = pathOf('../../agent-hub/src/main.ts')
const STUB_AGENT = pathOf('../../agent-hub/tests/stub-agent.ts')

/** The name under which the hub finds the stub: an agent that its registry knows, on PATH. */
export const STUB = 'gemini'

/** A service in a process of its own. */
export interface ServiceProcess {
  url: string
  pid: number
  /** Exit code, as soon as it has ended by itself or otherwise; null after a signal. */
  exited: Promise<number | null>
  /** Everything it wrote. */
  output(): string
  /** SIGTERM; answers exit code and milliseconds. */
  stop(): Promise<{ code: number | null; took_ms: number }>
  kill(): Promise<void>
  /** SIGSTOP: it stands still and knows nothing of it. */
  pause(): void
  resume(): void
}

function spawnService(main: string, folder: string, env: Record<string, string>, under: readonly string[] = []) {
  const [program, ...command] = [...under, process.execPath, main]
  const child = spawn(program ?? process.execPath, command, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      LOG_LEVEL: 'info',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      ...env,
    },
    // A signal must reach the service and not only what it runs under.
    detached: under.length > 0,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, output: () => output }
}

const listeningSchema = z.looseObject({ url: z.url() })

async function running(
  { child, output }: { child: ChildProcess; output: () => string },
  isGroup = false,
): Promise<ServiceProcess> {
  const url = await vi.waitFor(
    () => {
      const line = output()
        .split('\n')
        .find((text) => text.includes('"url"'))
      if (child.exitCode !== null) return `ended: ${output()}`
      return listeningSchema.parse(JSON.parse(line ?? '')).url
    },
    { timeout: 60_000, interval: 10 },
  )
  if (!url.startsWith('http')) throw new Error(url)
  const pid = child.pid!
  // Not `exit`, after which the last words may still be on their way.
  const exited = once(child, 'close').then(() => child.exitCode)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return void (await exited)
    if (isGroup) process.kill(-pid, signal)
    else child.kill(signal)
    await exited
  }
  return {
    url,
    pid,
    exited,
    output,
    async stop() {
      const begin = performance.now()
      await end('SIGTERM')
      return { code: child.exitCode, took_ms: performance.now() - begin }
    },
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
  }
}

/** `node services/orchestrator/src/main.ts` with its file in `folder`; `under` is a command that runs it, as strace does. */
export function startProcess(
  folder: string,
  env: Record<string, string>,
  under: readonly string[] = [],
): Promise<ServiceProcess> {
  const variables = { PORT: '0', PHASE_RETRY_BASE_MS: '50', ...env }
  return running(spawnService(ORCHESTRATOR, folder, variables, under), under.length > 0)
}

/** For a start that is refused: exit code and what it said. */
export async function refusedStart(folder: string, env: Record<string, string>) {
  const { child, output } = spawnService(ORCHESTRATOR, folder, { PORT: '0', ...env })
  await once(child, 'close')
  return { code: child.exitCode, output: output() }
}

/** The real hub with its demo agent, and the stub that does what a description tells it. */
export function startHub(folder: string, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const cache = process.env['NODE_COMPILE_CACHE'] ?? ''
  const launcher = `#!/bin/sh\nNODE_COMPILE_CACHE="${cache}" exec "${process.execPath}" "${STUB_AGENT}"\n`
  writeFileSync(join(bin, STUB), launcher, { mode: 0o755 })
  const PATH = `${bin}:${process.env['PATH'] ?? ''}`
  return running(
    spawnService(AGENT_HUB, folder, {
      PATH,
      HUB_PORT: '0',
      HUB_SANDBOX: 'off',
      GEMINI_API_KEY: 'no-model-takes-it',
      ...env,
    }),
  )
}
