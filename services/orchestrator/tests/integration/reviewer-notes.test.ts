import { afterEach, beforeEach, expect, it } from 'vitest'

import { leave } from '../artifacts.ts'
import { failWith, startPlainHub, type PlainHub } from '../plain-hub.ts'
import { startService, type Service } from '../service.ts'

let hub: PlainHub
let service: Service

beforeEach(async () => {
  hub = await startPlainHub()
  service = await startService({ hub: hub.url })
})
afterEach(async () => {
  await service.close()
  await hub.close()
})

const SPEC = `# Login

- **FR-001**: People sign in. [NEEDS CLARIFICATION: By which provider?]
- **FR-002**: Sessions end. [NEEDS CLARIFICATION: After how long?]
`
const CHECKLIST = '# Security\n\n- [ ] CHK001 Are roles named?\n- [x] CHK002 Are limits named?\n'

const questionsOf = async (id: string) => (await service.request('GET', `/workflows/${id}/questions`)).body
const checklistsOf = async (id: string) => (await service.request('GET', `/workflows/${id}/checklists`)).body
const answer = (id: string, question_id: string, body: object) =>
  service.request('PUT', `/workflows/${id}/questions/${question_id}`, body)
const tick = (id: string, item_id: string, body: object) =>
  service.request('PUT', `/workflows/${id}/checklist-items/${item_id}`, body)

async function waitingForAnswers() {
  hub.next(leave(hub, { 'specs/001-x/spec.md': SPEC, 'specs/001-x/checklists/security.md': CHECKLIST }))
  const { id } = await service.create()
  const { attempt } = await service.until(id, 'waiting_approval')
  const { items } = await questionsOf(id)
  return { id, digest: attempt?.digest ?? '', first: items[0].id as string, second: items[1].id as string }
}

it('lists what the attempt leaves open, in documents and beside them, and keeps who answered when', async () => {
  hub.next(leave(hub, { 'specs/001-x/spec.md': SPEC }))
  const { id } = await service.create()
  const { attempt } = await service.until(id, 'waiting_approval')
  const { items, ...page } = await questionsOf(id)
  expect(page).toEqual({ next_cursor: null, attempt_id: attempt?.id, digest: attempt?.digest })
  const open = { answer: null, answered_by: null, answered_at: null, path: 'specs/001-x/spec.md' }
  expect(items).toEqual([
    { ...open, id: expect.any(String), line: 3, text: 'By which provider?' },
    { ...open, id: expect.any(String), line: 4, text: 'After how long?' },
  ])

  const answered = await answer(id, items[1].id, { answer: 'After an hour.', digest: attempt?.digest })
  expect(answered.body).toEqual({
    ...items[1],
    answer: 'After an hour.',
    answered_by: 'local',
    answered_at: expect.stringMatching(/Z$/),
  })
  expect((await questionsOf(id)).items).toEqual([items[0], answered.body])
  expect((await answer(id, items[1].id, { answer: null })).body).toEqual(items[1])
  expect((await questionsOf(id)).items).toEqual(items)
})

it('lists what the agent only told, once', async () => {
  const uncertainty_reasons = ['Who pays?', 'After how long?']
  hub.next(leave(hub, { 'specs/001-x/spec.md': SPEC }, {}, { uncertainty_reasons }))
  const { id } = await service.create()
  await service.until(id, 'waiting_approval')
  const { items } = await questionsOf(id)
  expect(items.map(({ text, line }: { text: string; line: number | null }) => [text, line])).toEqual([
    ['By which provider?', 3],
    ['After how long?', 4],
    ['Who pays?', null],
  ])
})

it('gives the answers to the phase after an approval, and to a rework', async () => {
  const { id, first, second } = await waitingForAnswers()
  await answer(id, first, { answer: 'Perhaps GitHub.' })
  await answer(id, first, { answer: 'GitHub.' })
  await answer(id, second, { answer: 'An hour.' })
  hub.next(leave(hub, { 'specs/001-x/spec.md': SPEC }))
  expect((await service.advance(id, 'human_rejected')).status).toBe(200)
  await service.until(id, 'waiting_approval')
  const path = 'specs/001-x/spec.md'
  const answers = [
    { question: 'By which provider?', answer: 'GitHub.', path, line: 3, by: 'local' },
    { question: 'After how long?', answer: 'An hour.', path, line: 4, by: 'local' },
  ]
  const rework = hub.received[1]?.body.context.feedback
  expect(rework).toMatchObject({ threads: [], answers })
  expect(rework?.text).toBe('Answers to what was open:\n\nBy which provider?\n→ GitHub.\n\nAfter how long?\n→ An hour.')

  // The rework is another attempt: its questions are unanswered again.
  const again = await questionsOf(id)
  await answer(id, again.items[0].id, { answer: 'GitLab.' })
  await service.advance(id, 'human_approved', { comments: 'Shorter.' })
  await service.until(id, 'waiting_approval')
  const next = hub.received[2]?.body.context
  expect(next).toMatchObject({ phase: 'phase_2', feedback: { answers: [{ answer: 'GitLab.' }] } })
  expect(next?.feedback?.text).toBe('Shorter.\n\nAnswers to what was open:\n\nBy which provider?\n→ GitLab.')
})

it('takes neither answers nor ticks when there is nothing to review, or something else than was seen', async () => {
  const { id, first, digest } = await waitingForAnswers()
  const [list] = (await checklistsOf(id)).items
  const item = list.items[0].id as string
  const stale = 'f'.repeat(64)
  expect((await answer(id, first, { answer: 'x', digest: stale })).body.error.code).toBe('STALE_REVIEW')
  expect((await tick(id, item, { ticked: true, digest: stale })).body.error.code).toBe('STALE_REVIEW')
  expect((await answer(id, 'f'.repeat(16), { answer: 'x' })).body.error.code).toBe('QUESTION_NOT_FOUND')
  expect((await tick(id, 'f'.repeat(16), { ticked: true })).body.error.code).toBe('CHECKLIST_ITEM_NOT_FOUND')
  expect((await answer(id, 'no-id', { answer: 'x' })).status).toBe(422)
  expect((await answer(id, first, { answer: '' })).status).toBe(422)
  await service.request('POST', `/workflows/${id}/cancel`)
  expect((await answer(id, first, { answer: 'x', digest })).body.error.code).toBe('INVALID_STATE_TRANSITION')
  expect((await tick(id, item, { ticked: true, digest })).body.error.code).toBe('INVALID_STATE_TRANSITION')
  const unknown = '00000000-0000-4000-8000-000000000000'
  expect((await answer(unknown, first, { answer: 'x' })).body.error.code).toBe('WORKFLOW_NOT_FOUND')
  expect((await service.request('GET', `/workflows/${unknown}/checklists`)).body.error.code).toBe('WORKFLOW_NOT_FOUND')
})

it('keeps ticks with who and when, and hands them to the next phase until one has taken them in', async () => {
  const { id } = await waitingForAnswers()
  const [list] = (await checklistsOf(id)).items
  expect(list).toMatchObject({ path: 'specs/001-x/checklists/security.md', ticked: 1 })
  expect(list.items).toMatchObject([
    { label: 'CHK001', text: 'CHK001 Are roles named?', line: 3, ticked: false, ticked_by: null, ticked_at: null },
    { label: 'CHK002', line: 4, ticked: true, ticked_by: null },
  ])
  const ticked = await tick(id, list.items[0].id, { ticked: true })
  expect(ticked.body).toMatchObject({ label: 'CHK001', ticked: true, ticked_by: 'local' })
  await tick(id, list.items[1].id, { ticked: false })
  expect((await checklistsOf(id)).items).toMatchObject([{ ticked: 1, items: [{ ticked: true }, { ticked: false }] }])

  await service.advance(id, 'human_approved')
  await service.until(id, 'waiting_approval')
  const path = 'specs/001-x/checklists/security.md'
  const at = expect.stringMatching(/Z$/)
  expect(hub.received[1]?.body.context.feedback).toEqual({
    text: '',
    threads: [],
    ticks: [
      { path, label: 'CHK001', ticked: true, by: 'local', at },
      { path, label: 'CHK002', ticked: false, by: 'local', at },
    ],
  })
  await service.advance(id, 'human_approved')
  const { feature_id } = await service.until(id, 'completed')
  const after = await service.create({ workflow_type: 'plan', feature_id, feature_description: undefined })
  await service.until(after.id, 'waiting_approval')
  expect(hub.received.at(-1)?.body.context.feedback).toBeUndefined()
})

it('hands ticks of the last phase to the feature’s next workflow, again after one that failed', async () => {
  const { id } = await waitingForAnswers()
  await service.advance(id, 'human_approved')
  await service.until(id, 'waiting_approval')
  hub.usual = leave(hub, { 'specs/001-x/checklists/security.md': CHECKLIST })
  await service.advance(id, 'human_rejected')
  const { feature_id } = await service.until(id, 'waiting_approval')
  const [list] = (await checklistsOf(id)).items
  await tick(id, list.items[0].id, { ticked: true })
  await service.advance(id, 'human_approved')
  await service.until(id, 'completed')

  hub.next(failWith('no disk'))
  const failed = await service.create({ workflow_type: 'plan', feature_id, feature_description: undefined })
  await service.until(failed.id, 'failed')
  await service.request('POST', `/workflows/${failed.id}/retry`)
  const retried = (await service.request('GET', '/workflows?limit=1')).body.items[0]
  await service.until(retried.id, 'waiting_approval')
  const [first, second] = hub.received.slice(-2)
  expect(first?.body.context.feedback?.ticks).toMatchObject([{ label: 'CHK001', ticked: true }])
  expect(second?.body.context.feedback?.ticks).toEqual(first?.body.context.feedback?.ticks)
})

it('tells those who watch', async () => {
  const { id, first } = await waitingForAnswers()
  const [list] = (await checklistsOf(id)).items
  await answer(id, first, { answer: 'GitHub.' })
  await tick(id, list.items[0].id, { ticked: true })
  const stop = new AbortController()
  const stream = await fetch(`${service.url}/workflows/${id}/events?after=1`, { signal: stop.signal })
  let text = ''
  for await (const chunk of stream.body ?? []) {
    text += new TextDecoder().decode(chunk)
    if (text.includes('checklist.ticked')) break
  }
  stop.abort()
  expect(text).toContain('event: question.answered')
  expect(text).toContain('"answered_by":"local"')
})

it('stands in the history with the verdict that takes it to the agent: answers as words, ticks as facts', async () => {
  const { id, first } = await waitingForAnswers()
  await answer(id, first, { answer: 'Our own.' })
  const { items } = await checklistsOf(id)
  await tick(id, items[0].items[0].id, { ticked: true })
  await service.advance(id, 'human_approved')
  const approved = (await service.history(id)).find(({ trigger }) => trigger === 'human_approved')
  expect(approved?.metadata).toEqual({
    answers: [{ question: 'By which provider?', answer: 'Our own.', by: 'local' }],
    ticks: [{ path: 'specs/001-x/checklists/security.md', label: 'CHK001', ticked: true, by: 'local' }],
  })
})

it.each([
  ['stops', 'human_rejected', { abort: true }],
  ['completes', 'human_approved', {}],
] as const)('stands in the history with the verdict that %s the workflow too', async (_what, trigger, result) => {
  const { id } = await waitingForAnswers()
  hub.next(leave(hub, { 'specs/001-x/spec.md': SPEC, 'specs/001-x/checklists/security.md': CHECKLIST }))
  await service.advance(id, 'human_approved')
  await service.until(id, 'waiting_approval')
  const { items } = await checklistsOf(id)
  await tick(id, items[0].items[0].id, { ticked: true })
  const decided = await service.advance(id, trigger, result)
  expect(['failed', 'completed']).toContain(decided.body.status)
  expect((await service.history(id)).at(-1)?.metadata).toMatchObject({
    ...result,
    ticks: [{ path: 'specs/001-x/checklists/security.md', label: 'CHK001', ticked: true, by: 'local' }],
  })
})
