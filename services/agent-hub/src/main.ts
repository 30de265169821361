import { createLogger, listSecrets, runService } from '@orchestrator/server'

import { startHub } from './app.ts'
import { readConfig } from './config.ts'

runService(async (fail) => {
  const config = readConfig(process.env, process.cwd())
  const logger = createLogger({
    name: 'agent-hub',
    level: config.log_level,
    pretty: process.stdout.isTTY,
    secrets: listSecrets(process.env),
  })
  return startHub(config, logger, fail)
})
