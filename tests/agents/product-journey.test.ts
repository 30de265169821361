import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { WorkflowType } from '@orchestrator/contract'

import { makeProduct, type RunningProduct } from '../e2e/running-product.ts'
import { APPROVED, readArtifact, settled } from '../e2e/workflow-steps.ts'
import { listCandidates, modelEnvironment } from './candidates.ts'
import { journeyScript } from './journey-script.ts'
import { startScriptedModel, type ScriptedModel } from './scripted-model.ts'

/** `npm start` with a real agent in the demo agent's place, and a script in the place of its model. */
describe.each((await listCandidates()).map((agent) => [agent.title, agent] as const))(
  'both services with %s',
  (_title, { name, available }) => {
    describe.skipIf(!available)('a feature from its sentence to its code', () => {
      let model: ScriptedModel
      let product: Awaited<ReturnType<typeof makeProduct>>
      let running: RunningProduct

      beforeAll(async () => {
        model = await startScriptedModel(journeyScript)
        product = await makeProduct({ AGENT_NAME: name, ...modelEnvironment(name, model.url) })
        running = await product.start()
      }, 120_000)
      afterAll(async () => {
        await product.stopAll()
        await product.remove()
        await model[Symbol.asyncDispose]()
      })

      it('is specified, reworked, planned, broken down and implemented behind reviews', async () => {
        const { client } = running
        const { id, feature_id } = await client.createWorkflow({
          workflow_type: 'specify',
          feature_description: 'Greet every visitor of the site by name.',
        })
        await settled(client, id, 'waiting_approval', 'phase_1')
        await client.advanceWorkflow(id, {
          trigger: 'human_rejected',
          phase_result: { approved: false, comments: 'Name the greeting.' },
        })
        const reworked = await settled(client, id, 'waiting_approval', 'phase_1')
        expect(reworked.attempt).toMatchObject({ number: 2 })
        expect(await readArtifact(client, id, 'spec.md')).toContain('Name the greeting.')
        const [first] = (await client.listAttempts(id)).items
        expect(first!.review!.threads).toMatchObject([{ fate: 'addressed', reply: 'Changed as asked.' }])
        await client.advanceWorkflow(id, APPROVED)
        await settled(client, id, 'waiting_approval', 'phase_2')
        await client.advanceWorkflow(id, APPROVED)
        await settled(client, id, 'completed')

        for (const workflow_type of ['plan', 'tasks', 'implement'] as const satisfies WorkflowType[]) {
          const next = await client.createWorkflow({ workflow_type, feature_id })
          await settled(client, next.id, 'waiting_approval', 'phase_1')
          await client.advanceWorkflow(next.id, APPROVED)
          await settled(client, next.id, 'waiting_approval', 'phase_2')
          const checks = (await client.listAttempts(next.id)).items.flatMap((attempt) => attempt.checks)
          expect(checks.filter((check) => check.level === 'error')).toEqual([])
          await client.advanceWorkflow(next.id, APPROVED)
          await settled(client, next.id, 'completed')
        }
        const { items } = await client.listHistory(id)
        expect(items.map(({ trigger, actor }) => `${trigger} by ${actor}`)).toEqual([
          'start by orchestrator',
          `agent_complete by agent:${name}`,
          'human_rejected by local',
          `agent_complete by agent:${name}`,
          'human_approved by local',
          `agent_complete by agent:${name}`,
          'human_approved by local',
        ])
      })
    })
  },
)
