import type { WorkflowId } from '@orchestrator/contract'
import { expect, it } from 'vitest'

import { Scopes } from '../../src/core/scope.ts'

it('asks once where a workflow belongs, of as many as it can remember', async () => {
  const asked: WorkflowId[] = []
  const scopes = new Scopes({
    findWorkspaceOf: async (what) => {
      if ('workflow' in what) asked.push(what.workflow)
      return 'main'
    },
    hasArtifact: async () => false,
  })
  const ids = Array.from({ length: 10_000 }, (_, at) => `w${at}` as WorkflowId)
  for (const id of [...ids, ...ids]) expect(await scopes.hasWorkflow(['main'], id)).toBe(true)
  expect(asked.length).toBe(ids.length)
  expect(await scopes.hasWorkflow(['other'], ids[0]!)).toBe(false)
  await scopes.hasWorkflow(['main'], 'one-more' as WorkflowId)
  await scopes.hasWorkflow(['main'], ids[0]!)
  expect(asked.slice(ids.length)).toEqual(['one-more', ids[0]])
})
