import { cpSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'

import { createLogger, listen } from '@orchestrator/server'

import { createApp, type App } from '../../services/orchestrator/src/app.ts'
import { readConfig } from '../../services/orchestrator/src/config.ts'
import { createDrivenClock, type DrivenClock } from '../../services/orchestrator/tests/driven-clock.ts'
import { clientOf, temporaryFolder, type Client } from '../../services/orchestrator/tests/service.ts'
import { ScriptedHub } from './scripted-hub.ts'

const REWORKS = 2

/** The service in this process with clock, chance and hub in the test's hands, met over HTTP; one phase at a time. */
export interface ModelledService {
  client: Client
  hub: ScriptedHub
  clock: DrivenClock
  max_reworks: number
  /** What kill -9 leaves: the files as they are at this moment, taken up by a new service. */
  crash(): Promise<void>
  /** Ends in order and starts again. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** A database that nobody goes on with, and what stands beside it. */
async function removeAll(path: string): Promise<void> {
  for (const suffix of ['', '.owner', '.audit']) await rm(path + suffix, { recursive: true, force: true })
}

export async function startModelledService(): Promise<ModelledService> {
  const folder = await temporaryFolder()
  const clock = createDrivenClock()
  const hub = new ScriptedHub()
  const ending: Promise<void>[] = []
  let life = 0
  let app: App
  let connection: ReturnType<ScriptedHub['connect']>

  const pathOf = (number: number) => `${folder}/${number}.db`
  const start = async () => {
    const config = readConfig({
      DATABASE_URL: `sqlite:///${pathOf(life)}`,
      PORT: '0',
      MAX_CONCURRENT_PHASES: '1',
      MAX_REWORKS: String(REWORKS),
      PHASE_RETRY_LIMIT: '1000',
      PHASE_TIMEOUT_SECONDS: '604800',
    })
    connection = hub.connect()
    app = await createApp({
      config,
      logger: createLogger({ name: 'orchestrator', level: 'silent' }),
      version: '0',
      dashboard: folder,
      onFatal: () => {},
      clock,
      random: () => 0.5,
      hub: connection,
    })
    service.client = clientOf(await listen(app.server, config))
    await app.start()
  }
  const service: ModelledService = {
    client: clientOf(''),
    hub,
    clock,
    max_reworks: REWORKS,
    async crash() {
      connection.sever()
      const left = pathOf(life++)
      for (const suffix of ['', '-wal']) cpSync(left + suffix, pathOf(life) + suffix)
      ending.push(app.close().then(() => removeAll(left)))
      await start()
    },
    async restart() {
      await app.close()
      await start()
    },
    async close() {
      await app.close()
      await Promise.all(ending)
      await turn()
      await rm(folder, { recursive: true, force: true })
    },
  }
  await start()
  return service
}
