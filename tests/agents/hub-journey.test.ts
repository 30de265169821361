import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { invokeResponseSchema, type InvokeRequest } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { listCandidates, modelEnvironment } from './candidates.ts'
import { journeyScript } from './journey-script.ts'
import { startScriptedModel, type ScriptedModel } from './scripted-model.ts'

const hub_main = fileURLToPath(new URL('../../services/agent-hub/src/main.ts', import.meta.url))
const thread = { id: '6f0a2f3e-0b5e-4a3c-9d57-0d6d0a6b7c11', text: 'Name the greeting.' }

interface Call {
  type: InvokeRequest['workflow_type']
  phase: 'phase_1' | 'phase_2'
  session_id?: string
  feedback?: { text: string; threads: (typeof thread)[] }
}

describe.each((await listCandidates()).map((agent) => [agent.title, agent] as const))(
  'the hub with %s',
  (_title, { name, available }) => {
    describe.skipIf(!available)('a feature from its sentence to its code', () => {
      let model: ScriptedModel
      let hub: ChildProcess
      let folder: string
      let url: string
      let session_id: string

      beforeAll(async () => {
        model = await startScriptedModel(journeyScript)
        folder = await mkdtemp(join(tmpdir(), `hub-${name}-`))
        const env = { HUB_PORT: '0', HUB_DATA_DIR: folder, HUB_DATABASE_URL: `sqlite:///${join(folder, 'hub.db')}` }
        hub = spawn(process.execPath, [hub_main], {
          env: { PATH: process.env['PATH'], ...env, AGENT_NAME: name, ...modelEnvironment(name, model.url) },
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        url = await findUrl(hub)
      })

      afterAll(async () => {
        hub.kill('SIGTERM')
        await once(hub, 'exit')
        await model[Symbol.asyncDispose]()
        await rm(folder, { recursive: true, force: true })
      })

      async function invoke({ type, phase, session_id, feedback }: Call) {
        const response = await fetch(`${url}/invoke/default`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            workflow_type: type,
            context: {
              feature_id: '001-greet-visitors',
              feature_description: 'Greet every visitor of the site by name.',
              phase,
              feedback,
            },
            session_id,
          }),
        })
        expect(response.status).toBe(200)
        const answer = invokeResponseSchema.parse(await response.json())
        const checks = answer.result?.data?.checks ?? []
        return { ...answer, failed_checks: checks.filter((check) => check.level === 'error') }
      }

      it('specifies', async () => {
        const answer = await invoke({ type: 'specify', phase: 'phase_1' })

        expect(answer).toMatchObject({ success: true, failed_checks: [], confidence: expect.any(Number) })
        expect(answer.result?.files_created).toEqual(['specs/001-greet-visitors/spec.md'])
        expect(answer.result?.data?.usage?.input_tokens).toBeGreaterThan(0)
        session_id = answer.result?.data?.session_id ?? ''
      })

      it('reworks in the same session and answers the comment', async () => {
        const feedback = { text: 'Name the greeting.', threads: [thread] }
        const answer = await invoke({ type: 'specify', phase: 'phase_1', session_id, feedback })

        expect(answer).toMatchObject({ success: true, failed_checks: [] })
        expect(answer.result?.data).toMatchObject({
          session_id,
          threads: [{ id: thread.id, fate: 'addressed', reply: 'Changed as asked.' }],
        })
      })

      it.each<[Call['type'], Call['phase'], string[]]>([
        ['specify', 'phase_2', []],
        ['plan', 'phase_1', ['plan.md', 'research.md', 'data-model.md', 'contracts/cli.md', 'quickstart.md']],
        ['plan', 'phase_2', ['checklists/requirements.md']],
        ['tasks', 'phase_1', ['tasks.md']],
        ['tasks', 'phase_2', []],
        ['implement', 'phase_1', []],
        ['implement', 'phase_2', []],
      ])('does %s %s', async (type, phase, created) => {
        const answer = await invoke({ type, phase })

        expect(answer).toMatchObject({ success: true, failed_checks: [] })
        const paths = created.map((path) => `specs/001-greet-visitors/${path}`)
        expect(answer.result?.files_created).toEqual(expect.arrayContaining(paths))
      })
    })
  },
)

/** The hub logs one JSON object a line, and its address once it listens. */
async function findUrl(hub: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  hub.once('exit', (code) => reject(new Error(`the hub ended with code ${code}`)))
  createInterface({ input: hub.stdout! }).on('line', (line) => {
    const found = /"url":"(http:[^"]+)"/.exec(line)?.[1]
    if (found !== undefined) resolve(found)
  })
  return await promise
}
