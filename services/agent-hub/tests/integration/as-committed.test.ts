import { join } from 'node:path'

import { featureIdSchema, type Artifact } from '@orchestrator/contract'
import { afterAll, expect, it } from 'vitest'

import { compareWithCommit } from '../../src/core/as-committed.ts'
import { digestBytes } from '../../src/core/digest.ts'
import { createSecrets } from '../../src/core/secrets.ts'
import { makeRepository, temporaryFolder, writeFiles } from '../git-fixture.ts'
import { specify } from '../hub-process.ts'
import { workspacesOf } from '../workspaces-fixture.ts'

const TASKS = 'specs/001-login/tasks.md'
const REPORT = 'specs/001-login/analysis-report.md'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const artifactOf = (path: string, text: string): Artifact => ({
  path,
  digest: digestBytes(text),
  size: text.length,
  media_type: 'text/markdown',
})

it('keeps the report that was said beside a file of its name', async () => {
  const repository = makeRepository(join(folder.path, 'shop'))
  const feature_id = featureIdSchema.parse('001-login')
  const working_copy = await workspacesOf(repository, join(folder.path, 'data')).open('default', feature_id)
  writeFiles(working_copy.path, { [TASKS]: 'tasks', [REPORT]: 'an old report' })
  const made = working_copy.asCommitted(await working_copy.commit('tasks'))
  const said = artifactOf(REPORT, 'what was said')
  const compare = async (tasks: string) =>
    compareWithCommit({
      secrets: createSecrets({}),
      request: specify(),
      made,
      prepared: {
        response: {
          success: true,
          confidence: 70,
          result: {
            output: 'Analysed.',
            files_created: [TASKS, REPORT],
            data: { artifacts: [artifactOf(REPORT, 'an old report'), artifactOf(TASKS, tasks), said] },
          },
        },
        commit_message: 'tasks',
      },
    })
  expect(await compare('tasks')).toEqual({ kind: 'same' })
  const compared = await compare('other tasks')
  expect(compared).toMatchObject({
    kind: 'different',
    prepared: {
      response: {
        result: { data: { artifacts: [artifactOf(REPORT, 'an old report'), artifactOf(TASKS, 'tasks'), said] } },
      },
    },
  })
})
