import { join } from 'node:path'
import { collectGarbage, createLogger, listen, listSecrets, runService } from '@orchestrator/server'

import manifest from '../package.json' with { type: 'json' }
import { createApp } from './app.ts'
import { readConfig } from './config.ts'

const DASHBOARD = join(import.meta.dirname, '../../../apps/dashboard/dist')

runService(async (fail) => {
  const config = readConfig(process.env)
  const logger = createLogger({ name: 'orchestrator', level: config.log_level, secrets: listSecrets(process.env) })
  const app = await createApp({
    config,
    logger,
    version: manifest.version,
    dashboard: DASHBOARD,
    // Whoever supervises starts the service again, which reads what is really on the disk.
    onFatal: (error) => {
      logger.fatal(
        { err: error },
        'the disk failed; the service ends so that nothing is acknowledged that is not stored',
      )
      fail()
    },
  })
  const url = await listen(app.server, config)
  await app.start()
  collectGarbage()
  logger.info({ url, agent_hub_url: config.agent_hub_url, phase_execution: config.phase_execution }, 'listening')
  if (app.first_key !== undefined) {
    process.stdout.write(
      `\nAdmin key, shown this once: ${app.first_key}\nSend it as "Authorization: Bearer <key>".\n\n`,
    )
  }
  return app
})
