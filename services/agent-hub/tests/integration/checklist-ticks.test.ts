import { symlinkSync, writeFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import type { InvokeRequest } from '@orchestrator/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { makeRepository, temporaryFolder, userGit } from '../git-fixture.ts'
import { specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'

const folder = temporaryFolder()
const repository = join(folder.path, 'shop')
const LIST = '# Security\n\n- [ ] CHK001 Are roles named?\n- [X] CHK002 Are limits named?\n'
let hub: HubProcess

const listOf = (id: string) => `specs/${id}/checklists/security.md`

beforeAll(async () => {
  makeRepository(repository, {
    'README.md': '# Shop\n',
    ...Object.fromEntries(['001-login', '002-linked', '003-implement'].map((id) => [listOf(id), LIST])),
    'specs/003-implement/tasks.md': '# Tasks\n\n- [ ] T001 Write src/a.ts\n',
  })
  hub = await startHubProcess({ folder: folder.path, env: { WORKSPACE: repository } })
})
afterAll(async () => {
  await hub.stop()
  await folder.remove()
})

const ticks = (path: string) => [
  { path, label: 'CHK001', ticked: true, by: 'Robin\nSigned-off-by: x', at: '2026-01-31T12:00:00.000Z' },
  { path, label: 'CHK002', ticked: false, by: 'Kim', at: '2026-01-31T12:00:01.000Z' },
  { path, label: 'CHK999', ticked: true, by: 'Kim', at: '2026-01-31T12:00:02.000Z' },
  { path: 'README.md', label: 'CHK001', ticked: true, by: 'Kim', at: '2026-01-31T12:00:03.000Z' },
]

async function run(request: InvokeRequest, path: string) {
  const feedback = { text: '', threads: [], ticks: ticks(path) }
  const { id } = await hub.start(STUB, { ...request, context: { ...request.context, feedback } })
  return hub.finish(id)
}

it('puts the reviewers’ ticks into the branch, in a commit of their own and before the agent works', async () => {
  const path = listOf('001-login')
  const response = await run(specify([`cat ${path}`, 'write specs/001-login/spec.md text']), path)
  expect(response.success).toBe(true)
  expect(response.result?.files_created).toEqual(['specs/001-login/spec.md'])
  const commits = userGit(repository, 'log', '--format=%s', 'main..001-login').split('\n')
  expect(commits).toEqual([
    expect.stringMatching(/^specify phase_1/),
    'checklists of 001-login as reviewed by Robin Signed-off-by  x, Kim',
  ])
  expect(userGit(repository, 'show', `001-login:${path}`)).toBe(
    '# Security\n\n- [x] CHK001 Are roles named?\n- [ ] CHK002 Are limits named?',
  )
  expect(userGit(repository, 'log', '-1', '--skip=1', '--format=%b', '001-login')).toContain(
    'ticked CHK001 of checklists/security.md at 2026-01-31T12:00:00.000Z',
  )

  // Once more, as after a crash: nothing is left to do.
  await run(specify(['write specs/001-login/spec.md other']), path)
  expect(userGit(repository, 'rev-list', '--count', 'main..001-login')).toBe('3')
})

it('writes through no link that leads out of the working copy', async () => {
  const path = listOf('002-linked')
  const secret = join(folder.path, 'outside.md')
  writeFileSync(secret, LIST)
  rmSync(join(repository, path))
  symlinkSync(secret, join(repository, path))
  userGit(repository, 'commit', '--quiet', '-am', 'a link')
  const response = await run(specify([], { feature_id: '002-linked' }), path)
  expect(response).toMatchObject({ success: false, error: expect.stringContaining('leads out of the working copy') })
  expect(userGit(repository, 'hash-object', secret)).toBe(
    userGit(repository, 'rev-parse', `HEAD:${listOf('001-login')}`),
  )
})

it('does not count them as the agent’s change of an approved file', async () => {
  const path = listOf('003-implement')
  const said = ['write src/a.ts 1', 'write specs/003-implement/tasks.md - [X] T001 Write src/a.ts']
  const request = { ...specify(said, { feature_id: '003-implement' }), workflow_type: 'implement' as const }
  const response = await run(request, path)
  const untouched = response.result?.data?.checks?.filter(({ id }) => id === 'implement-documents-untouched')
  expect(untouched).toMatchObject([{ level: 'pass' }])
})
