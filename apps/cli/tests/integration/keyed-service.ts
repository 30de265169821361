import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

import { startCli } from './cli-process.ts'

const root = resolve(import.meta.dirname, '../../../..')

/** A service that is open to others, and therefore wants keys. */
export interface KeyedService {
  url: string
  folder: string
  admin_key: string
  /** Runs `orchestrator …` on it, with this key or an admin's. */
  ask(words: string[], key?: string): Promise<{ exit_code: number | null; text: string; errors: string }>
  close(): Promise<void>
}

export async function startKeyedService(): Promise<KeyedService> {
  const folder = await mkdtemp(join(tmpdir(), 'cli-service-'))
  const service = spawn(process.execPath, [join(root, 'services/orchestrator/src/main.ts')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      HOST: '0.0.0.0',
      PORT: '0',
      PHASE_EXECUTION: 'external',
      DATABASE_URL: `sqlite:///${folder}/orchestrator.db`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const line of createInterface(service.stdout)) {
    said += `${line}\n`
    if (said.includes('shown this once') && said.includes('"url"')) break
  }
  service.stdout.resume()
  const url = (/"url":"([^"]+)"/.exec(said)?.[1] ?? '').replace('0.0.0.0', '127.0.0.1')
  const admin_key = /ok_[0-9a-f]{12}_[\w-]{43}/.exec(said)?.[0] ?? ''
  return {
    url,
    folder,
    admin_key,
    async ask(words, key = admin_key) {
      const cli = startCli(root, words, { ORCHESTRATOR_URL: url, ORCHESTRATOR_KEY: key })
      const exit_code = await cli.exited
      return { exit_code, text: cli.lines.join('\n'), errors: cli.errors.join('\n') }
    },
    async close() {
      service.kill('SIGTERM')
      await once(service, 'close')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
