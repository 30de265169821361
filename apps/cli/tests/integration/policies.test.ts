import { afterAll, beforeAll, expect, it } from 'vitest'

import { startCli } from './cli-process.ts'
import { root, startOrchestrator, type OrchestratorProcess } from './orchestrator-process.ts'

let service: OrchestratorProcess
beforeAll(async () => {
  service = await startOrchestrator({}, ['"url"'])
})
afterAll(() => service.remove())

async function policy(...words: string[]) {
  const cli = startCli(root, ['policy', ...words], { ORCHESTRATOR_URL: service.url })
  const exit_code = await cli.exited
  return { exit_code, text: cli.lines.join('\n'), errors: cli.errors.join('\n') }
}

it('sets what approving a phase takes, lists it, and takes it back', async () => {
  const set = await policy('set', 'plan', 'phase_2', '--minimum', '2', '--roles', 'admin', '--four-eyes', 'on')
  expect(set).toMatchObject({ exit_code: 0, text: expect.stringContaining('2 approvals, by admin, four eyes on') })
  const lines = (await policy('list')).text.split('\n')
  expect(lines).toHaveLength(8)
  expect(lines[3]).toContain('2 approvals, by admin, four eyes on, set by local')
  expect(await policy('reset', 'plan', 'phase_2')).toMatchObject({
    exit_code: 0,
    text: expect.stringContaining('1 approval, four eyes as FOUR_EYES says'),
  })
})

it.each([
  [['set', 'plan', 'phase_3'], 'phase_1, phase_2'],
  [['set', 'plan', 'phase_1', '--minimum', 'two'], 'minimum_approvals'],
  [['set', 'plan', 'phase_1', '--roles', 'viewer'], 'required_roles'],
])('says what is wrong: %j', async (words, error) => {
  const answer = await policy(...words)
  expect(answer.exit_code).toBe(2)
  expect(answer.errors).toContain(error)
})
