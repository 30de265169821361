import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { AgentUpdate } from '@orchestrator/contract'
import { pino } from 'pino'

import { createAgentDriver, type AgentDriverOptions } from '../src/acp/index.ts'
import { PROXY_VARIABLES } from '../src/acp/network-watch.ts'
import type { AgentDriver, AgentProcess, AgentProfile, AgentTurn, TurnLimits } from '../src/core/ports.ts'

export const stub_path = fileURLToPath(new URL('./stub-agent.ts', import.meta.url))

export function stubProfile(...options: string[]): AgentProfile {
  return {
    name: 'stub',
    title: 'Stub',
    command: [process.execPath, stub_path, ...options],
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '' },
    home_files: {},
    mode: null,
    mcp_transport: null,
    memory_mb: 100,
    install: null,
  }
}

/** The stub within walls; `program` is bubblewrap. */
export function walledProfile(program: string, network: 'none' | 'machine' = 'none'): AgentProfile {
  const repository = resolve(dirname(stub_path), '../../..')
  const read_only = [
    dirname(process.execPath),
    join(repository, 'node_modules'),
    join(repository, 'services/agent-hub'),
  ]
  return { ...stubProfile(), env: PROXY_VARIABLES, sandbox: { program, read_only, network } }
}

export const limits: TurnLimits = {
  initialize_ms: 40_000,
  session_ms: 40_000,
  idle_ms: 40_000,
  turn_ms: 60_000,
  cancel_grace_ms: 1_000,
}

/** A driver with a HOME and a working copy in a folder of its own, and everything that it told. */
export interface AcpFixture extends AsyncDisposable {
  driver: AgentDriver
  folder: string
  home: string
  working_copy: string
  updates: AgentUpdate[]
  processes: AgentProcess[]
  turn(prompt: string, changes?: Partial<AgentTurn>): AgentTurn
  read(path: string): Promise<string>
}

export async function createAcpFixture(options: Partial<AgentDriverOptions> = {}): Promise<AcpFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'acp-'))
  const home = join(folder, 'home')
  const working_copy = await mkdtemp(join(folder, 'copy-'))
  const driver = createAgentDriver({ logger: pino({ level: 'silent' }), ...options })
  const updates: AgentUpdate[] = []
  const processes: AgentProcess[] = []
  return {
    driver,
    folder,
    home,
    working_copy,
    updates,
    processes,
    turn: (prompt, changes = {}) => ({
      agent: stubProfile(),
      session_id: 'session-1',
      acp_session_id: null,
      home,
      working_copy,
      env: {},
      prompt,
      signal: new AbortController().signal,
      limits,
      onUpdate: (update) => updates.push(update),
      onProcess: (process) => processes.push(process),
      ...changes,
    }),
    read: async (path) => await readFile(join(working_copy, path), 'utf8'),
    async [Symbol.asyncDispose]() {
      await driver.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Whether a process runs; one that is dead and not yet collected does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
}

/** Of every process of the machine, sandboxes included, whose last argument it is. */
export async function listCommandLines(last: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.filter((line) => line.endsWith(`\0${last}\0`))
}
