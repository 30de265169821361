/** Runs turns that never end and tells of their processes, one JSON object a line: a hub to be killed. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { pino } from 'pino'

import { createAgentDriver } from '../src/acp/index.ts'
import { limits, stubProfile } from './acp-fixture.ts'

const [folder = '', count = '1'] = process.argv.slice(2)
const driver = createAgentDriver({ logger: pino({ level: 'silent' }) })

for (let i = 0; i < Number(count); i += 1) {
  const working_copy = join(folder, `copy-${i}`)
  await mkdir(working_copy)
  void driver.run({
    agent: stubProfile(),
    session_id: String(i),
    acp_session_id: null,
    home: join(folder, `home-${i}`),
    working_copy,
    env: {},
    prompt: 'stub: fork child.pid\nstub: flee fled.pid\nstub: say ready\nstub: deaf',
    signal: new AbortController().signal,
    limits,
    onUpdate: () => process.stdout.write('ready\n'),
    onProcess: (agent) => process.stdout.write(`${JSON.stringify(agent)}\n`),
  })
}
