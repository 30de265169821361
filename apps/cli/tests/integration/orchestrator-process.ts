import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

export const root = resolve(import.meta.dirname, '../../../..')

export interface OrchestratorProcess {
  folder: string
  url: string
  /** What it printed up to `until`. */
  said: string
  stop(): Promise<void>
  remove(): Promise<void>
}

/** The service as a process of its own on a file of its own, ready once it has printed all of `until`. */
export async function startOrchestrator(env: Record<string, string>, until: string[]): Promise<OrchestratorProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'cli-service-'))
  const service = spawn(process.execPath, [join(root, 'services/orchestrator/src/main.ts')], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      PORT: '0',
      PHASE_EXECUTION: 'external',
      DATABASE_URL: `sqlite:///${folder}/orchestrator.db`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const line of createInterface(service.stdout)) {
    said += `${line}\n`
    if (until.every((words) => said.includes(words))) break
  }
  service.stdout.resume()
  const closed = once(service, 'close')
  const stop = async () => {
    service.kill('SIGTERM')
    await closed
  }
  return {
    folder,
    url: (/"url":"([^"]+)"/.exec(said)?.[1] ?? '').replace('0.0.0.0', '127.0.0.1'),
    said,
    stop,
    async remove() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
