import { readdir, readFile } from 'node:fs/promises'

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
