import { randomUUID } from 'node:crypto'
import { DRAFTS_MAX, type AttemptId, type Digest, type SaveDraft, type WorkflowId } from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'

import { outcomeOfInvocation } from '../../src/core/outcome.ts'

import { ReviewDrafts } from '../../src/core/review-drafts.ts'
import { createReviewDraftStore } from '../../src/db/review-draft-store.ts'
import { asker } from '../asker.ts'
import { openDatabases } from '../databases.ts'
import { openEngine, type Engine } from '../engine.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const digest = 'a'.repeat(64) as Digest

/** A phase that was done outside and waits for a review. */
async function reviewable(engine: Engine) {
  const { id } = await engine.create()
  return engine.machine.advance(id, { trigger: 'agent_complete' }, asker('agent'))
}

async function openDrafts(url: string) {
  const engine = await openEngine(url, { phase_execution: 'external' })
  const store = createReviewDraftStore(engine.session)
  const drafts = new ReviewDrafts({ store, workflows: engine.store, now: () => new Date() })
  const { id: workflow_id, attempt } = await reviewable(engine)
  const draft: SaveDraft = {
    attempt_id: attempt?.id as AttemptId,
    kind: 'comment',
    path: 'specs/001-x/spec.md',
    lines: { start: 3, end: 4 },
    quote: 'fast',
    text: 'How fast?',
    replacement: 'within 200 ms',
  }
  return { engine, drafts, workflow_id, draft, ana: { workflow_id, actor: 'ana' }, ben: { workflow_id, actor: 'ben' } }
}

describe.each(databases.all)('drafts of reviewers on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('are kept, changed, listed to their reviewer alone, and deleted', async () => {
    const { drafts, draft, ana, ben } = await openDrafts(await create())
    const id = randomUUID()
    const saved = await drafts.save(ana, id, draft)
    expect(saved).toMatchObject({ ...draft, id })
    const changed = await drafts.save(ana, id, { ...draft, text: 'How fast, and where?', lines: null })
    expect(changed).toMatchObject({ text: 'How fast, and where?', lines: null, created_at: saved.created_at })
    expect(await drafts.list(ana)).toEqual([changed])
    expect(await drafts.list(ben)).toEqual([])
    await drafts.delete(ben, id)
    expect(await drafts.list(ana)).toHaveLength(1)
    await drafts.delete(ana, id)
    await drafts.delete(ana, id)
    expect(await drafts.list(ana)).toEqual([])
  })

  it.skipIf(isMissing)('of one reviewer cannot be taken over by another', async () => {
    const { engine, drafts, workflow_id, draft, ana, ben } = await openDrafts(await create())
    const id = randomUUID()
    await drafts.save(ana, id, draft)
    await expect(drafts.save(ben, id, draft)).rejects.toMatchObject({ code: 'DRAFT_CLOSED' })
    const comments = [{ id, text: 'Mine now' }]
    await engine.machine.advance(workflow_id, { trigger: 'human_rejected', phase_result: { comments } }, asker('ben'))
    const [attempt] = await engine.store.listAttempts(workflow_id)
    expect(attempt?.review?.threads.map((thread) => thread.text)).toEqual(['Mine now'])
    expect(attempt?.review?.threads[0]?.id).not.toBe(id)
    expect(await drafts.list(ana)).toMatchObject([{ id, text: 'How fast?' }])
  })

  it.skipIf(isMissing)('become threads under the same id, and those of others stay', async () => {
    const { engine, drafts, workflow_id, draft, ana, ben } = await openDrafts(await create())
    const [first, second, kept] = [randomUUID(), randomUUID(), randomUUID()]
    await drafts.save(ana, first, draft)
    await drafts.save(ben, kept, draft)
    const { path, lines, quote, text, replacement } = draft
    const suggestion = { id: first, path: path!, lines: lines!, quote: quote!, text, replacement: replacement! }
    const comments = [suggestion, { id: second, text: 'Never saved' }, { id: second, text: 'Twice the same id' }]
    await engine.machine.advance(workflow_id, { trigger: 'human_rejected', phase_result: { comments } }, asker('ana'))
    const [attempt] = await engine.store.listAttempts(workflow_id)
    expect(attempt?.review?.threads.slice(0, 2)).toMatchObject([
      { id: first, path, lines, quote, text, replacement, fate: 'open' },
      { id: second, text: 'Never saved', replacement: null },
    ])
    expect(new Set(attempt?.review?.threads.map(({ id }) => id)).size).toBe(3)
    expect(await drafts.list(ana)).toEqual([])
    expect(await drafts.list(ben)).toMatchObject([{ id: kept }])
    await expect(drafts.save(ana, first, draft)).rejects.toMatchObject({ code: 'DRAFT_CLOSED' })
  })

  it.skipIf(isMissing)(
    'are refused for an attempt of another workflow, an unknown workflow, and beyond a number',
    async () => {
      const { engine, drafts, draft, ana, ben } = await openDrafts(await create())
      const other = await reviewable(engine)
      await expect(
        drafts.save(ana, randomUUID(), { ...draft, attempt_id: other.attempt?.id as AttemptId }),
      ).rejects.toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'attempt_id' }] })
      const nowhere = { workflow_id: randomUUID() as WorkflowId, actor: 'ana' }
      await expect(drafts.save(nowhere, randomUUID(), draft)).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' })
      await expect(drafts.list(nowhere)).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' })
      // Ten at a time, as the service has connections: none is to wait for longer than it may.
      for (let saved = 0; saved < DRAFTS_MAX; saved += 10)
        await Promise.all(Array.from({ length: 10 }, () => drafts.save(ana, randomUUID(), draft)))
      await expect(drafts.save(ana, randomUUID(), draft)).rejects.toMatchObject({ details: [{ field: 'draft_id' }] })
      const [known] = await drafts.list(ana)
      await drafts.save(ana, known!.id, { ...draft, text: 'Still to be changed' })
      await drafts.save(ben, randomUUID(), draft)
    },
  )

  it.skipIf(isMissing)(
    'that come while their verdict does are either sent or kept, never both and never lost',
    async () => {
      const { engine, drafts, workflow_id, draft, ana } = await openDrafts(await create())
      const ids = Array.from({ length: 12 }, () => randomUUID())
      await Promise.all(ids.map((id) => drafts.save(ana, id, draft)))
      const comments = ids.map((id) => ({ id, text: 'Sent' }))
      const [, ...saves] = await Promise.allSettled([
        engine.machine.advance(workflow_id, { trigger: 'human_rejected', phase_result: { comments } }, asker('ana')),
        ...ids.map((id) => drafts.save(ana, id, { ...draft, text: 'Changed' })),
      ])
      expect(saves).toHaveLength(ids.length)
      const [attempt] = await engine.store.listAttempts(workflow_id)
      expect(attempt?.review?.threads.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
      expect(await drafts.list(ana)).toEqual([])
    },
  )

  it.skipIf(isMissing)('stand beside marks of what was read, by digest', async () => {
    const { drafts, ana, ben } = await openDrafts(await create())
    await drafts.markViewed(ana, digest)
    await drafts.markViewed(ana, digest)
    expect(await drafts.listViewed(ana)).toMatchObject([{ digest }])
    expect(await drafts.listViewed(ben)).toEqual([])
    await drafts.unmarkViewed(ana, digest)
    expect(await drafts.listViewed(ana)).toEqual([])
  })

  it.skipIf(isMissing)(
    'and notes of the approval that completes a workflow go to the next one, until they are answered',
    async () => {
      const { engine, workflow_id } = await openDrafts(await create())
      const note = { text: 'Keep the API small' }
      const { machine, store } = engine
      const approve = (phase_result = {}) =>
        machine.advance(workflow_id, { trigger: 'human_approved', phase_result }, asker('ana'))
      await approve()
      await machine.advance(workflow_id, { trigger: 'agent_complete' }, asker('agent'))
      const { feature_id } = await approve({ comments: [note] })

      const next = await machine.create({ workflow_type: 'plan', feature_id }, asker('ana'))
      const work = await store.write((tx) => tx.findWork(next.attempt!.id))
      expect(work?.feedback).toMatchObject({ verdict: 'approved', text: note.text, threads: [note] })
      const threads = [{ id: work!.feedback!.threads[0]!.id, fate: 'addressed' as const, reply: 'Two routes' }]
      const outcome = outcomeOfInvocation({ success: true, result: { data: { threads } } }, 'demo')
      await store.write((tx) => machine.attempts.complete(tx, next.attempt!.id, outcome))
      const specified = await store.listAttempts(workflow_id)
      expect(specified.at(-1)?.review?.threads).toMatchObject([{ ...note, ...threads[0] }])

      await machine.cancel(next.id, undefined, asker('ana'))
      const again = await machine.create({ workflow_type: 'plan', feature_id }, asker('ana'))
      expect((await store.write((tx) => tx.findWork(again.attempt!.id)))?.feedback).toBeNull()
    },
  )
})
