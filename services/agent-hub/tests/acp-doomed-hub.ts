/**
 * Runs turns that never end and tells of their processes, one JSON object a line: a hub to be killed. With a name and
 * the path of bubblewrap its agents are within walls, and each leaves a child that hides behind that name.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { pino } from 'pino'

import { createAgentDriver } from '../src/acp/index.ts'
import { limits, stubProfile, walledProfile } from './acp-fixture.ts'

const [folder = '', count = '1', name, bubblewrap] = process.argv.slice(2)
const driver = createAgentDriver({ logger: pino({ level: 'silent' }) })

for (let i = 0; i < Number(count); i += 1) {
  const working_copy = join(folder, `copy-${i}`)
  await mkdir(working_copy)
  void driver.run({
    agent: bubblewrap === undefined ? stubProfile() : walledProfile(bubblewrap),
    session_id: String(i),
    acp_session_id: null,
    home: join(folder, `home-${i}`),
    working_copy,
    env: {},
    prompt: `stub: fork child.pid\nstub: flee fled.pid\n${name === undefined ? '' : `stub: vanish ${name}\n`}stub: say ready\nstub: deaf`,
    signal: new AbortController().signal,
    limits,
    onUpdate: () => process.stdout.write('ready\n'),
    onProcess: (agent) => process.stdout.write(`${JSON.stringify(agent)}\n`),
  })
}
