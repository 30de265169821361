import { join } from 'node:path'

import type { InvokeRequest, InvokeResponse } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'

const folder = temporaryFolder()
const repository = join(folder.path, 'shop')
const TASKS = '# Tasks\n\n## Phase 1: Setup\n\n- [X] T001 Write README.md\n'
let hub: HubProcess

beforeAll(async () => {
  const features = ['001-done', '002-gap', '003-endless', '004-open', '005-rework']
  makeRepository(
    repository,
    Object.fromEntries([['README.md', '# Shop\n'], ...features.map((id) => [`specs/${id}/tasks.md`, TASKS])]),
  )
  hub = await startHubProcess({ folder: folder.path, env: { WORKSPACE: repository } })
})
afterAll(async () => {
  await hub.stop()
  await folder.remove()
})

function implement(said: string[], feature_id: string, phase: string): InvokeRequest {
  return { ...specify(said, { feature_id, phase }), workflow_type: 'implement' }
}

async function converge(said: string[], feature_id: string, change: Partial<InvokeRequest['context']> = {}) {
  const request = implement(said, feature_id, 'phase_2')
  const { id } = await hub.start(STUB, { ...request, context: { ...request.context, ...change } })
  return hub.finish(id)
}

const rowsOf = (response: InvokeResponse, id: string) =>
  (response.result?.data?.checks ?? []).filter((check) => check.id === id)
const errorsOf = (response: InvokeResponse) =>
  (response.result?.data?.checks ?? []).filter((check) => check.level === 'error')

describe('implement, phase 2', () => {
  it('ends at once where nothing is missing', async () => {
    const response = await converge(['gaps 0'], '001-done')
    expect(errorsOf(response)).toEqual([])
    expect(rowsOf(response, 'converge-outcome')).toMatchObject([{ level: 'pass', message: 'Converged.' }])
    expect(response.result?.data?.['convergence']).toEqual({ converged: true, rounds: 1, appended: 0, open: 0 })
    expect(response.result?.files_created).toEqual([])
  })

  it('implements what was appended, and looks again, in one attempt and one commit', async () => {
    const response = await converge(['gaps 1'], '002-gap')
    expect(errorsOf(response)).toEqual([])
    expect(rowsOf(response, 'converge-outcome')).toMatchObject([
      { level: 'pass', message: 'Converged. 1 task appended, in 2 rounds.' },
    ])
    expect(response.result?.output).toMatch(/^Converged\. 1 task appended, in 2 rounds\. The agent: Turn 3$/)
    expect(response.result?.files_created).toEqual(['specs/002-gap/tasks.md', 'src/gap-1.txt'])
    expect(userGit(repository, 'rev-list', '--count', 'main..002-gap')).toBe('1')
    expect(userGit(repository, 'show', '002-gap:specs/002-gap/tasks.md')).toContain('- [X] T002 Close it')
  })

  it('stops after three rounds, and says that more may be missing', async () => {
    const response = await converge(['gaps 9'], '003-endless')
    expect(response.success).toBe(true)
    expect(response.result?.data?.['convergence']).toEqual({ converged: false, rounds: 3, appended: 3, open: 0 })
    expect(rowsOf(response, 'converge-outcome')).toMatchObject([
      { level: 'warning', message: expect.stringContaining('still found gaps. 3 tasks appended') },
    ])
  })

  it('does not believe an agent that says so while tasks are open', async () => {
    writeFiles(repository, { 'specs/004-open/tasks.md': `${TASKS}- [ ] T002 Write src/a.ts\n` })
    userGit(repository, 'commit', '--quiet', '-am', 'open')
    const response = await converge(['gaps 0', 'lie'], '004-open')
    expect(rowsOf(response, 'converge-outcome')).toMatchObject([
      { level: 'warning', message: 'Not converged. 1 task not done.' },
    ])
  })

  it('tells the agent the comments once, and keeps its answers', async () => {
    const thread = { id: 'a3bb189e-8bf9-4888-9912-ace4e6543002', text: 'Look at src again.' }
    const response = await converge(['gaps 1'], '005-rework', { feedback: { text: thread.text, threads: [thread] } })
    expect(response.result?.data?.threads).toEqual([{ id: thread.id, fate: 'addressed', reply: 'Noted.' }])
  })

  it('finds, with the demo agent, a file that somebody took away, and brings it back', async () => {
    const feature_id = '010-demo'
    const text = 'Users can create notes and find notes.'
    for (const type of ['specify', 'plan', 'tasks', 'implement'] as const) {
      const request = implement([], feature_id, 'phase_1')
      const context = { ...request.context, feature_description: text }
      await hub.finish((await hub.start('demo', { ...request, workflow_type: type, context })).id)
    }
    const worktree = join(folder.path, 'theirs')
    userGit(repository, 'worktree', 'add', '--quiet', worktree, feature_id)
    const code = userGit(worktree, 'ls-files')
      .split('\n')
      .find((path) => path.endsWith('.mjs') && !path.includes('test'))!
    userGit(worktree, 'rm', '--quiet', code)
    userGit(worktree, 'commit', '--quiet', '-m', 'gone')
    userGit(repository, 'worktree', 'remove', worktree)

    const request = implement([], feature_id, 'phase_2')
    const context = { ...request.context, feature_description: text }
    const response = await hub.finish((await hub.start('demo', { ...request, context })).id)
    expect(errorsOf(response)).toEqual([])
    expect(response.result?.data?.['convergence']).toMatchObject({ converged: true, rounds: 2, appended: 1 })
    expect(response.result?.files_created).toContain(code)
  })
})
