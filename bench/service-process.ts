import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const SERVICES = join(import.meta.dirname, '../services')
/** As `npm start` runs them: see apps/cli/src/supervisor.ts and services.ts. */
const NODE_FLAGS = {
  orchestrator: ['--v8-pool-size=1', '--max-semi-space-size=8'],
  'agent-hub': ['--v8-pool-size=1', '--max-semi-space-size=2'],
}
const MALLOC_ARENA_MAX = '1'
const NODE_COMPILE_CACHE = join(import.meta.dirname, '../node_modules/.cache/compiled')

/** A service as its user runs it: its own process, from source, on a free port of loopback. */
export interface ServiceProcess {
  url: string
  child: ChildProcess
  /** From spawn to the line that says it listens, in milliseconds. */
  start_ms: number
  stop(): Promise<void>
}

/** Starts `services/<name>` with these variables beside PATH and HOME, and these flags of Node, and waits until it listens. */
export function startService(
  name: 'orchestrator' | 'agent-hub',
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<ServiceProcess> {
  return start(join(SERVICES, name, 'src/main.ts'), env, [...NODE_FLAGS[name], ...flags])
}

/** The reference of `bench/http.ts`. */
export function startBare(): Promise<ServiceProcess> {
  return start(join(import.meta.dirname, 'bare-fastify.ts'), {}, NODE_FLAGS.orchestrator)
}

async function start(program: string, env: Record<string, string>, flags: readonly string[]): Promise<ServiceProcess> {
  const { PATH = '', HOME = '' } = process.env
  const began = performance.now()
  const child = spawn(process.execPath, [...flags, program], {
    env: { PATH, HOME, MALLOC_ARENA_MAX, NODE_COMPILE_CACHE, LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const url = /"url":"([^"]+)"/.exec(line)?.[1]
    if (url === undefined) continue
    const start_ms = performance.now() - began
    child.stdout.resume()
    return { url, child, start_ms, stop: () => stop(child) }
  }
  throw new Error(`${program} ended before it listened`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** A folder for one run; removed afterwards. */
export async function withFolder<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    return await fn(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Resident memory of a process in MB and its CPU time so far in ms, from /proc (Linux). */
export function usageOf(pid: number): { rss_mb: number; cpu_ms: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(stat[11]) + Number(stat[12])
  return { rss_mb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, cpu_ms: ticks * 10 }
}
