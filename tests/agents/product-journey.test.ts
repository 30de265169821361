import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { FeatureId, WorkflowId, WorkflowType } from '@orchestrator/contract'

import { findInvocationBlock } from '../../services/agent-hub/src/spec-kit/invocation-block.ts'
import { makeProduct, type RunningProduct } from '../e2e/running-product.ts'
import { APPROVED, readArtifact, settled } from '../e2e/workflow-steps.ts'
import { listCandidates, modelEnvironment } from './candidates.ts'
import { journeyScript } from './journey-script.ts'
import { findAgents, killHub } from './processes.ts'
import { startScriptedModel, type ScriptedModel } from './scripted-model.ts'
import { git, installedSentence, makeRepository } from './small-repository.ts'

const DESCRIPTION = 'Greet every visitor of the site by name.'
const MANY_STARTS_MS = 600_000

const phases = ['phase_1', 'phase_2'] as const

/** `npm start` with a real agent in the demo agent's place, and a script in the place of its model. */
describe.each((await listCandidates()).map((agent) => [agent.title, agent] as const))(
  'both services with %s',
  (_title, { name, available }) => {
    describe.skipIf(!available).each([
      { spec_kit: name, where: 'a repository with Spec Kit installed', killed: false },
      { spec_kit: null, where: 'a repository without Spec Kit', killed: false },
      { spec_kit: null, where: 'a repository without Spec Kit, the hub killed in the middle of a turn', killed: true },
    ])('a feature from its sentence to its code in $where', ({ spec_kit, killed }) => {
      let model: ScriptedModel
      let product: Awaited<ReturnType<typeof makeProduct>>
      let running: RunningProduct
      let repository: string
      let feature_id: FeatureId
      let specify: WorkflowId
      /** While it is set, the model writes one file of a rework and is silent then. */
      let holding = killed

      beforeAll(async () => {
        model = await startScriptedModel((prompt) => {
          const steps = journeyScript(prompt)
          const is_rework = findInvocationBlock(prompt)?.feedback != null
          return holding && is_rework ? [...steps.slice(0, 1), { kind: 'hang' }] : steps
        })
        product = await makeProduct({ AGENT_NAME: name, ...modelEnvironment(name, model.url) })
        repository = await makeRepository(product.folder, { spec_kit })
        Object.assign(product.env, { WORKSPACE: repository, VERIFY_COMMAND: 'node src/greeting.js' })
        running = await product.start()
      }, 120_000)
      afterAll(async () => {
        await product.stopAll()
        await product.remove()
        await model[Symbol.asyncDispose]()
      })

      it('is specified', async () => {
        const { client } = running
        const created = await client.createWorkflow({ workflow_type: 'specify', feature_description: DESCRIPTION })
        specify = created.id
        feature_id = created.feature_id
        await settled(client, specify, 'waiting_approval', 'phase_1')

        expect(await readArtifact(client, specify, 'spec.md')).toContain('[NEEDS CLARIFICATION')
      }, 120_000)

      it('is reworked as the reviewer asked, and the comment is answered', async () => {
        const { client } = running
        const before = model.requests.length
        await client.advanceWorkflow(specify, {
          trigger: 'human_rejected',
          phase_result: { approved: false, comments: 'Name the greeting.' },
        })
        await (killed ? killInTheMiddle(before) : undefined)

        const reworked = await settled(client, specify, 'waiting_approval', 'phase_1')
        expect(reworked.attempt).toMatchObject({ number: 2 })
        expect(await readArtifact(client, specify, 'spec.md')).toContain('Name the greeting.')
        const [first] = (await client.listAttempts(specify)).items
        expect(first!.review!.threads).toMatchObject([{ fate: 'addressed', reply: 'Changed as asked.' }])
      }, 180_000)

      /** Once the rework has written its file. The agent goes with the hub; the supervisor starts another hub. */
      async function killInTheMiddle(before: number): Promise<void> {
        await expect
          .poll(() => model.requests.slice(before).map((request) => request.tool_results), { timeout: 60_000 })
          .toContain(1)
        const agents = await findAgents(product.folder)
        expect(agents).not.toEqual([])
        await killHub(product.folder)
        holding = false
        await expect
          .poll(async () => (await findAgents(product.folder)).filter((pid) => agents.includes(pid)), {
            timeout: 30_000,
          })
          .toEqual([])
      }

      it(
        'is planned, broken down and implemented behind reviews, with no check failed',
        async () => {
          const { client } = running
          await client.advanceWorkflow(specify, APPROVED)
          await settled(client, specify, 'waiting_approval', 'phase_2')
          await client.advanceWorkflow(specify, APPROVED)
          await settled(client, specify, 'completed')
          for (const workflow_type of ['plan', 'tasks', 'implement'] as const satisfies WorkflowType[]) {
            const { id } = await client.createWorkflow({ workflow_type, feature_id })
            for (const phase of phases) {
              await settled(client, id, 'waiting_approval', phase)
              await client.advanceWorkflow(id, APPROVED)
            }
            await settled(client, id, 'completed')
          }

          const { workflows } = await client.getFeature(feature_id)
          const attempts = (await Promise.all(workflows.map(({ id }) => client.listAttempts(id)))).flatMap(
            ({ items }) => items,
          )
          expect(attempts.flatMap(({ checks }) => checks.filter(({ level }) => level === 'error'))).toEqual([])
          expect(attempts.map(({ state, confidence }) => [state, confidence])).toEqual(
            attempts.map(() => ['succeeded', 90]),
          )
        },
        MANY_STARTS_MS,
      )

      it('did every step once', async () => {
        const { items } = await running.client.listHistory(specify)
        expect(items.map(({ trigger, actor, attempt }) => `${trigger} by ${actor} of attempt ${attempt}`)).toEqual([
          'start by orchestrator of attempt 1',
          `agent_complete by agent:${name} of attempt 1`,
          'human_rejected by local of attempt 1',
          `agent_complete by agent:${name} of attempt 2`,
          'human_approved by local of attempt 2',
          `agent_complete by agent:${name} of attempt 1`,
          'human_approved by local of attempt 1',
        ])
        const subjects = await git(repository, 'log', '--reverse', '--format=%s', `main..${feature_id}`)
        expect(subjects.split('\n')).toEqual(
          [
            'specify phase_1 attempt 1',
            'specify phase_1 attempt 2',
            'specify phase_2 attempt 1',
            'plan phase_1 attempt 1',
            'plan phase_2 attempt 1',
            'tasks phase_1 attempt 1',
            'implement phase_1 attempt 1',
          ].map((what) => `${what} for ${feature_id}`),
        )
      })

      it('left a row for every turn in the audit log, with its requests to the model', async () => {
        const { items } = await running.client.listExchanges(feature_id)
        const ended = items.filter(({ outcome }) => outcome === 'ended')
        expect(ended.length).toBeGreaterThanOrEqual(7)
        expect(ended.filter(({ model_requests }) => model_requests === 0)).toEqual([])
        expect(items.filter(({ model_refusals }) => model_refusals > 0)).toEqual([])
      })

      it('left the code on the branch of the feature, and the checkout of the user as it was', async () => {
        expect(await git(repository, 'show', `${feature_id}:src/greeting.js`)).toBe("console.log('Hello')")
        expect(await git(repository, 'status', '--porcelain')).toBe('')
        expect(await git(repository, 'branch', '--show-current')).toBe('main')
      })

      it('was told in the project’s own words where it has some', () => {
        const told = model.requests.filter(({ prompt }) => prompt.includes(installedSentence('plan', DESCRIPTION)))
        expect(told.length > 0).toBe(spec_kit !== null)
      })
    })
  },
)
