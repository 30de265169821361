import { readdir, readFile, readlink } from 'node:fs/promises'

/** Processes of this machine that work below a folder (Linux). */
export async function processesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
  const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')))
  return pids.filter((_, at) => places[at]?.startsWith(`${folder}/`))
}

/** Those of them that still are; one that is dead and not yet collected is not. */
export async function living(pids: readonly number[]): Promise<number[]> {
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')))
  return pids.filter((_, at) => !stats[at]?.slice(stats[at].lastIndexOf(')') + 2).startsWith('Z'))
}
