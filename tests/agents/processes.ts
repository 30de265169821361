import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

interface Process {
  pid: number
  command: string
  environment: string[]
}

/** Of this user; those that end meanwhile are left out. */
async function listProcesses(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid): Promise<Process[]> => {
      try {
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
        return [{ pid, command: command.replaceAll('\0', ' '), environment: environment.split('\0') }]
      } catch {
        return []
      }
    }),
  )
  return found.flat()
}

/** Processes of the agents of one product, which keeps all it has in `folder`. */
export async function findAgents(folder: string): Promise<number[]> {
  const processes = await listProcesses()
  return processes
    .filter(({ environment }) => environment.some((variable) => variable.startsWith(`HOME=${folder}/homes/`)))
    .map(({ pid }) => pid)
}

/** As `kill -9` does it: the hub alone, without a word to its agents. */
export async function killHub(folder: string): Promise<void> {
  const [hub] = (await listProcesses()).filter(
    ({ command, environment }) =>
      command.includes('services/agent-hub/src/main.ts') && environment.includes(`HUB_DATA_DIR=${folder}`),
  )
  if (hub === undefined) throw new Error(`there is no hub for ${folder}`)
  process.kill(hub.pid, 'SIGKILL')
}

/** The highest that was seen until the signal: the sum of PSS over all their processes, in MiB, and how many there were. */
export async function watchAgents(
  folder: string,
  signal: AbortSignal,
): Promise<{ memory_mb: number; processes: number }> {
  let highest_kb = 0
  let processes = 0
  while (!signal.aborted) {
    const sizes = await Promise.all((await findAgents(folder)).map(readPss))
    highest_kb = Math.max(
      highest_kb,
      sizes.reduce((sum, size) => sum + size, 0),
    )
    processes = Math.max(processes, sizes.length)
    await delay(100)
  }
  return { memory_mb: Math.round(highest_kb / 1024), processes }
}

async function readPss(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0)
}
