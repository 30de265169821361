import { execFile, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Readable, Writable } from 'node:stream'

import type { AgentProcess } from '../core/ports.ts'
import { createTextTail, stripControls } from './bounded-text.ts'

/** Every process of an agent carries this in its environment, so that one that left the group is found too. */
const MARKER = 'ORCHESTRATOR_AGENT_RUN'
const STDERR_TAIL = 8_000
/** A killed process is gone at once, but for a machine under load. */
const KILL_WAIT_MS = 1_000

/** The program could not be started at all; the message is a sentence. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** An agent's process, the leader of its own process group. */
export interface AgentChild {
  readonly process: AgentProcess
  readonly stdin: Writable
  readonly stdout: Readable
  /** Resolves with how it ended, such as `exit code 3`. Never rejects. */
  readonly exited: Promise<string>
  /** Resolves once nobody can write to its pipes any more, and all that was written is read. */
  readonly closed: Promise<void>
  /** Last lines of stderr, without control characters. */
  readonly last_words: string
  /** SIGTERM, then after `grace_ms` SIGKILL, to all of the group and to whatever left it. */
  end(grace_ms: number): Promise<void>
}

export interface AgentCommand {
  command: readonly [string, ...string[]]
  cwd: string
  env: Readonly<Record<string, string>>
}

/** Starts a program in a process group of its own. Throws StartError. */
export async function startAgentProcess(o: AgentCommand): Promise<AgentChild> {
  const [program, ...args] = o.command
  const marker = crypto.randomUUID()
  const child = spawn(program, args, {
    cwd: o.cwd,
    env: { ...o.env, [MARKER]: marker },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const tail = createTextTail(STDERR_TAIL)
  child.stderr.setEncoding('utf8').on('data', (text: string) => tail.append(text))
  // A write to an agent that has just died must not bring the hub down: its end is told by `exited`.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`))
    child.once('error', (error) => resolve(error.message))
  })
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'ENOENT' ? 'does not exist' : error.code === 'EACCES' ? 'may not be run' : error.message
      reject(new StartError(`${program} ${why}`))
    })
  })
  const pid = child.pid ?? 0
  return {
    process: { pid, started: `${(await findStartTime(pid)) ?? 'gone'}/${marker}` },
    stdin: child.stdin,
    stdout: child.stdout,
    exited,
    closed,
    get last_words() {
      return stripControls(tail.text).trim()
    },
    async end(grace_ms) {
      const known = await listMarked(marker)
      child.stdin.end()
      signalGroup(pid, grace_ms > 0 ? 'SIGTERM' : 'SIGKILL')
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), grace_ms)
      await exited
      clearTimeout(timer)
      // The leader is gone; what it forked may still be there.
      signalGroup(pid, 'SIGKILL')
      await killMarked(marker, known)
      // A child that outlived the agent may hold the pipes open for ever.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
    },
  }
}

/** Ends what a hub that was killed left behind. Answers whether anything was. */
export async function endOrphan(orphan: AgentProcess): Promise<boolean> {
  const [started, marker] = splitStarted(orphan.started)
  const known = await listMarked(marker)
  const leader = (await findStartTime(orphan.pid)) === started
  if (leader) signalGroup(orphan.pid, 'SIGKILL')
  const others = await killMarked(marker, known)
  return leader || others > 0
}

function splitStarted(started: string): [string, string] {
  const cut = started.lastIndexOf('/')
  return [started.slice(0, cut), started.slice(cut + 1)]
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  // 0 and 1 would reach our own group, or everybody.
  if (pid <= 1) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}

/**
 * When the system started a process, in a form that no other process ever has: boot and clock tick
 * (proc(5), field 22 of `stat`), or what `ps` tells where there is no /proc. Undefined when it is gone.
 */
async function findStartTime(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return await findStartTimeByPs(pid)
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The name in parentheses may hold anything, parentheses and blanks too: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : `${boot.trim()}/${fields[19]}`
  } catch {
    return undefined
  }
}

async function findStartTimeByPs(pid: number): Promise<string | undefined> {
  return await new Promise((resolve) => {
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], (error, stdout) => {
      resolve(error === null && stdout.trim() !== '' ? stdout.trim() : undefined)
    })
  })
}

/**
 * Kills every process that carries the marker, those too that made a session of their own to outlive the group,
 * and waits until they are gone, and so are those who were `known` to carry it before the first of them was told to
 * end: a process loses its memory, and its mark with it, a moment before it is gone, and the first process of a
 * sandbox is gone only after all that hid in there. Answers how many there were.
 */
async function killMarked(marker: string, known: readonly number[]): Promise<number> {
  const awaited = new Set(known)
  const deadline = performance.now() + KILL_WAIT_MS
  // More than one round, because one that is about to die may have forked once more.
  for (let found = await listMarked(marker); found.length > 0; found = await listMarked(marker)) {
    for (const pid of found) {
      awaited.add(pid)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone meanwhile.
      }
    }
    if (performance.now() > deadline) break
    await delay(5)
  }
  const isAlive = async (pid: number) => (await findStartTime(pid)) !== undefined
  while (performance.now() < deadline && (await Promise.all([...awaited].map(isAlive))).includes(true)) await delay(5)
  return awaited.size
}

/** Only where /proc tells environments; elsewhere the process group has to do. */
async function listMarked(marker: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const wanted = `${MARKER}=${marker}`
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.split('\0').includes(wanted) ? [pid] : []
    }),
  )
  return found.flat()
}
