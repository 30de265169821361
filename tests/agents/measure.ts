/**
 * `npm run measure:agents [NAME…]`: what each installed agent takes of the machine, and how long a cancel takes to
 * end its process group: `cancel_ms` as it is, `frozen_ms` with all its processes stopped by SIGSTOP. Memory is the sum of PSS over all its processes, sandbox and forwarder included, in MiB: at
 * its highest while it writes a file and hands in a result. Linux only.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { pino } from 'pino'

import { createAgentDriver, createAgentRegistry } from '../../services/agent-hub/src/acp/index.ts'
import type { AgentTurn, TurnOutcome } from '../../services/agent-hub/src/core/ports.ts'
import { listCandidates, modelEnvironment } from './candidates.ts'
import { findAgents, watchAgents } from './processes.ts'
import { startScriptedModel } from './scripted-model.ts'

/** As the hub has them. */
const limits: AgentTurn['limits'] = {
  initialize_ms: 60_000,
  session_ms: 60_000,
  idle_ms: 300_000,
  turn_ms: 600_000,
  cancel_grace_ms: 10_000,
}

async function measure(name: string) {
  await using model = await startScriptedModel((prompt) =>
    prompt.includes('WAIT-FOR-EVER')
      ? [{ kind: 'hang' }]
      : [
          { kind: 'write', path: 'notes.md', content: '# Notes\n' },
          { kind: 'submit', summary: 'Written.', confidence: 90 },
          { kind: 'say', text: 'Done.' },
        ],
  )
  const env = { PATH: process.env['PATH'], ...modelEnvironment(name, model.url) }
  const agent = (await createAgentRegistry({ named: name, env, sandbox: 'auto' })).getAgent('default')
  const driver = createAgentDriver({ logger: pino({ level: 'silent' }) })
  const folder = await mkdtemp(join(tmpdir(), `measure-${name}-`))
  await mkdir(join(folder, 'copy'))
  const run = async (prompt: string, signal: AbortSignal): Promise<TurnOutcome> =>
    driver.run({
      agent,
      session_id: 'session',
      acp_session_id: null,
      home: join(folder, 'homes/session'),
      working_copy: join(folder, 'copy'),
      env: {},
      prompt,
      signal,
      limits,
      onUpdate: () => {},
      onProcess: () => {},
    })
  try {
    const watching = new AbortController()
    const memory = watchAgents(folder, watching.signal)
    const first = await run('Write the notes.', new AbortController().signal)
    watching.abort()

    /** Milliseconds from the cancel to the end of the turn, which is the end of its processes. */
    const cancelAfter = async (prepare: () => Promise<void>): Promise<number> => {
      const cancel = new AbortController()
      const asked = model.requests.length
      const waiting = run('WAIT-FOR-EVER', cancel.signal)
      while (model.requests.length === asked) await delay(20)
      await prepare()
      const begun = performance.now()
      cancel.abort()
      const { kind } = await waiting
      if (kind !== 'cancelled') throw new Error(`${name} was not cancelled: ${kind}`)
      return Math.round(performance.now() - begun)
    }
    const cancel_ms = await cancelAfter(async () => {})
    // The worst case: it hears nothing any more.
    const frozen_ms = await cancelAfter(async () => {
      for (const pid of await findAgents(folder)) process.kill(pid, 'SIGSTOP')
    })
    return {
      agent: name,
      first: first.kind,
      memory_mb: (await memory).memory_mb,
      counted_mb: agent.memory_mb,
      cancel_ms,
      frozen_ms,
      left_running: (await findAgents(folder)).length,
    }
  } finally {
    await driver.close()
    await rm(folder, { recursive: true, force: true })
  }
}

const named = process.argv.slice(2)
const candidates = (await listCandidates()).filter(({ name }) => named.length === 0 || named.includes(name))
const rows = []
for (const { name, available, title } of candidates) {
  if (available) rows.push(await measure(name))
  else console.error(`Left out: ${title}`)
}
console.table(rows)
