import type { Workflow } from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'

import { idempotencyOf } from '../../src/api/idempotency-key.ts'
import { eraseWords } from '../../src/core/erasure.ts'
import { createActs } from '../../src/db/act-store.ts'
import { createErasureStore } from '../../src/db/erasure-store.ts'
import { asker } from '../asker.ts'
import { openDatabases } from '../databases.ts'
import { openEngine } from '../engine.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const KIM = asker('Kim', { key_id: 'key-of-kim' })
const ROBIN = asker('Robin', { key_id: 'key-of-robin' })
const ERASED = 'What was said here was erased.'
const body = { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' } as const

/** An engine, and requests to it that each have the same key whenever they are made. */
async function stage(url: string) {
  const engine = await openEngine(url, { phase_execution: 'external' })
  const keyed = (actor: typeof KIM, path: string, key: string) =>
    idempotencyOf({ headers: { 'idempotency-key': key }, body: null, url: path, actor })
  return {
    engine,
    create: (actor: typeof KIM, key: string) => engine.machine.create(body, actor, keyed(actor, '/workflows', key)),
    cancel: ({ id }: Workflow, actor: typeof KIM, reason?: string) =>
      engine.machine.cancel(id, reason, actor, keyed(actor, `/workflows/${id}/cancel`, 'end')),
    stop: ({ id }: Workflow, actor: typeof KIM, comments?: string) =>
      engine.machine.advance(
        id,
        { trigger: 'human_rejected', phase_result: { abort: true, ...(comments !== undefined && { comments }) } },
        actor,
        keyed(actor, `/workflows/${id}/advance`, 'end'),
      ),
    erase: (name: string) =>
      eraseWords(createErasureStore(engine.session, createActs(engine.session)), name, asker('Alex'), new Date()),
    answers: async () =>
      (await engine.session.read.selectFrom('idempotent_answers').select('answer').execute())
        .map(({ answer }) => answer)
        .join(),
  }
}

describe.each(databases.all)('erasure on $title', ({ create: createDatabase, isMissing }) => {
  it.skipIf(isMissing)('lets nothing be done twice that is asked for again', async () => {
    const { engine, create, cancel, erase } = await stage(await createDatabase())
    const kims = await create(KIM, 'first')
    const robins = await create(ROBIN, 'first')
    await cancel(kims, KIM, 'Alex has left.')
    await erase('Kim')
    expect(await create(KIM, 'first')).toEqual(kims)
    expect(await create(ROBIN, 'first')).toEqual(robins)
    expect((await engine.store.listWorkflows({})).items).toHaveLength(2)
  })

  it.skipIf(isMissing)('takes words and name out of what is answered again, and leaves those of others', async () => {
    const { engine, create, cancel, stop, erase, answers } = await stage(await createDatabase())
    const [cancelled, stopped, silent, robins] = [
      await create(KIM, '1'),
      await create(KIM, '2'),
      await create(KIM, '3'),
      await create(KIM, '4'),
    ]
    await engine.machine.advance(stopped.id, { trigger: 'agent_complete' }, asker('agent'))
    await cancel(cancelled, KIM, 'Alex has left.')
    const in_review = await stop(stopped, KIM, 'Alex has left.')
    const without = await cancel(silent, KIM)
    const other = await cancel(robins, ROBIN, 'Robin says so.')
    expect(without).toMatchObject({ error: 'Cancelled by Kim.', attempt: { reason: 'Cancelled by Kim.' } })
    expect(await answers()).toContain('Alex has left.')

    await erase('Kim')
    expect(await answers()).not.toContain('Alex has left.')
    const again = await cancel(cancelled, KIM, 'Alex has left.')
    expect(again).toEqual(await engine.get(cancelled.id))
    expect(again).toMatchObject({ status: 'failed', error: ERASED, attempt: { state: 'cancelled', reason: ERASED } })
    expect(await stop(stopped, KIM, 'Alex has left.')).toEqual({ ...in_review, error: ERASED })
    const unnamed = { ...without, error: ERASED, attempt: { ...without.attempt, reason: ERASED } }
    expect(await cancel(silent, KIM)).toEqual(unnamed)
    expect(await engine.get(silent.id)).toEqual(unnamed)
    expect(await cancel(robins, ROBIN, 'Robin says so.')).toEqual(other)
  })

  it.skipIf(isMissing)('takes the name out of a stop without words, and leaves what a machine said', async () => {
    const { engine, create, stop, erase, answers } = await stage(await createDatabase())
    const [stopped, reported] = [await create(KIM, '1'), await create(KIM, '2')]
    await engine.machine.advance(stopped.id, { trigger: 'agent_complete' }, asker('agent'))
    expect(await stop(stopped, KIM)).toMatchObject({ error: 'Stopped in review by Kim.' })
    await engine.machine.advance(reported.id, { trigger: 'error' }, KIM)
    const before = await engine.get(reported.id)

    await erase('Kim')
    expect(await answers()).not.toContain('by Kim')
    expect((await engine.get(stopped.id)).error).toBe(ERASED)
    expect(await stop(stopped, KIM)).toMatchObject({ error: ERASED })
    expect(await engine.get(reported.id)).toEqual({ ...before, created_by: expect.any(String) })
  })
})
