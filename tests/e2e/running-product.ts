import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

import { killTree } from '../../apps/cli/src/kill-tree.ts'
import { createClient, type Client } from '@orchestrator/client'

export const ROOT = resolve(import.meta.dirname, '../..')

/** `npm start -- --json` as a process of a group of its own, for Ctrl-C reaches a whole group. */
export interface StartedProduct {
  lines: string[]
  process: ChildProcess
  exited: Promise<number | null>
}

/** With npm between the terminal and us, as a person types it. */
export function npmStart(env: NodeJS.ProcessEnv): StartedProduct {
  const started = spawn('npm', ['start', '--silent', '--', '--json'], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      ...env,
    },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface(started.stdout).on('line', (line) => lines.push(line))
  return { lines, process: started, exited: once(started, 'close').then(([code]) => code as number | null) }
}

export const eventOf = (started: StartedProduct, type: string) =>
  started.lines.map((line) => JSON.parse(line) as Record<string, unknown>).find((event) => event['type'] === type)

export interface RunningProduct {
  started: StartedProduct
  client: Client
  ready: { url: string } & Record<string, unknown>
}

/** Long enough for a first start on a loaded machine, which also builds the page. */
const START_MS = 90_000

async function untilReady(started: StartedProduct): Promise<RunningProduct['ready']> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; await setTimeout(50)) {
    const ready = eventOf(started, 'ready')
    if (ready !== undefined) return ready as RunningProduct['ready']
  }
  throw new Error(`not ready in time; so far it said:\n${started.lines.join('\n')}`)
}

/** A folder with all that one product keeps; what was started on it is ended with it. */
export async function makeProduct(more: NodeJS.ProcessEnv = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'product-'))
  const env: NodeJS.ProcessEnv = {
    PORT: '0',
    HUB_PORT: '0',
    DATABASE_URL: `sqlite:///${folder}/orchestrator.db`,
    HUB_DATABASE_URL: `sqlite:///${folder}/agent-hub.db`,
    HUB_DATA_DIR: folder,
    ...more,
  }
  const running = new Set<StartedProduct>()
  /** Has it ended with the others. */
  const watch = (started: StartedProduct) => {
    running.add(started)
    void started.exited.then(() => running.delete(started))
  }
  return {
    folder,
    env,
    watch,
    async start(): Promise<RunningProduct> {
      const started = npmStart(env)
      watch(started)
      const ready = await untilReady(started)
      return { started, client: createClient({ base_url: ready.url }), ready }
    },
    /** As a power cut does it: everything at once, agents included, without a word. */
    async killAll(started: StartedProduct): Promise<void> {
      killTree(started.process.pid!)
      await started.exited
    },
    async stopAll(): Promise<void> {
      for (const one of running) {
        process.kill(-one.process.pid!, 'SIGTERM')
        await one.exited
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
