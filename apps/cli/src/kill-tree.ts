import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/**
 * SIGKILL for a process, everything that descends from it, and their process groups: the agents of a
 * hub that no longer answers run in groups of their own. Only children of ours are given in here.
 */
export function killTree(pid: number): void {
  for (const one of [pid, ...descendantsOf(pid)]) {
    kill(-one)
    kill(one)
  }
}

/** What a process started, and what that started, and so on. */
export function descendantsOf(pid: number): number[] {
  const children = Map.groupBy(listProcesses(), (one) => one.parent)
  const startedBy = (parent: number) => (children.get(parent) ?? []).map((child) => child.pid)
  const found = startedBy(pid)
  for (const one of found) found.push(...startedBy(one))
  return found
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Already gone, or no leader of a group.
  }
}

function listProcesses(): { pid: number; parent: number }[] {
  try {
    return process.platform === 'linux' ? fromProc() : fromPs()
  } catch {
    return []
  }
}

/** `/proc/<pid>/stat` is `pid (name) state ppid …`; the name may hold anything, so count from its last bracket. */
function fromProc() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }]
      } catch {
        return []
      }
    })
}

function fromPs() {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0]) => ({ pid, parent }))
}
