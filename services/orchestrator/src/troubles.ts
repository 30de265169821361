import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { EventLoopWatch } from '@orchestrator/server'
import { parseSqliteUrl } from '@orchestrator/sqlite'

import type { Budgets } from './core/budgets.ts'
import type { PhaseQueue } from './core/ports.ts'
import * as sentences from './core/sentences.ts'
import type { Trouble } from './core/service-health.ts'

const MEBIBYTE = 1024 * 1024
/** With less than this the next hours of a busy service may not fit. */
const FREE_MIN_MB = 200
/** A hold-up that people notice. */
const LATE_MS = 500

/** What makes the service `degraded` beside its hub. */
export function listTroubles(o: {
  database_url: string
  queue: Pick<PhaseQueue, 'findPause'>
  budgets: Pick<Budgets, 'listTroubles'>
  event_loop: Pick<EventLoopWatch, 'latest'>
  /** In bytes, of the disk that a folder lies on; the system's answer unless a test gives one. */
  findFreeSpace?: (folder: string) => Promise<number>
}): Trouble[] {
  return [
    () => o.budgets.listTroubles(),
    async () => {
      const pause = await o.queue.findPause()
      return pause === undefined ? [] : [sentences.queuePaused(pause)]
    },
    () => {
      const late_ms = o.event_loop.latest()
      const seconds = (late_ms / 1000).toFixed(1)
      return late_ms < LATE_MS
        ? []
        : [`The process was held up for ${seconds} s in the last seconds: the machine is overloaded, or swaps.`]
    },
    ...diskTroubles(o.database_url, o.findFreeSpace ?? askDisk),
  ]
}

/** Of the disk that a file of ours lies on; a server's is its own concern. */
function diskTroubles(database_url: string, findFreeSpace: (folder: string) => Promise<number>): Trouble[] {
  if (!database_url.startsWith('sqlite:')) return []
  const path = parseSqliteUrl(database_url)
  if (path === ':memory:') return []
  return [
    async () => {
      const free_mb = Math.floor((await findFreeSpace(dirname(path))) / MEBIBYTE)
      return free_mb >= FREE_MIN_MB
        ? []
        : [`The disk of the database has ${free_mb} MB left: make room, or writing will be refused.`]
    },
  ]
}

async function askDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
