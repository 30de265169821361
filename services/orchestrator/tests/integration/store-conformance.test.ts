import { randomBytes, randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { ServiceError, type Digest, type StreamEvent, type Workflow, type WorkflowId } from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'

import type { WorkflowTransaction } from '../../src/core/ports.ts'
import { asker } from '../asker.ts'
import { openDatabases } from '../databases.ts'
import { openEngine, type Engine } from '../engine.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const external = { phase_execution: 'external' } as const

/** How many of these were refused with which code, and what the others came to. */
async function outcomes<T>(work: Promise<T>[]): Promise<{ done: T[]; refused: string[] }> {
  const settled = await Promise.allSettled(work)
  return {
    done: settled.filter((one) => one.status === 'fulfilled').map((one) => one.value),
    refused: settled.filter((one) => one.status === 'rejected').map((one) => (one.reason as ServiceError).code),
  }
}

async function waitingForReview(engine: Engine): Promise<Workflow> {
  const { id } = await engine.create()
  return engine.machine.advance(id, { trigger: 'agent_complete', phase_result: { output: 'x' } }, asker('agent'))
}

function appendNote(tx: WorkflowTransaction, workflow_id: WorkflowId, text: string): Promise<void> {
  const created_at = new Date().toISOString()
  const data = {
    attempt_id: randomUUID() as never,
    phase: 'phase_1' as const,
    number: 1,
    updates: [{ kind: 'note' as const, text }],
  }
  return tx.appendEvent({ type: 'agent.update', workflow_id, created_at, data })
}

/** All of a move to its end but its place in the feed. */
function completionOf({ attempt, updated_at }: Workflow) {
  return {
    status: 'completed',
    current_phase: 'phase_1',
    attempt_id: attempt!.id,
    updated_at,
    error: null,
    completed_at: updated_at,
    history_hash: 'x',
  } as const
}

describe.each(databases.all)('the store on $title', ({ create, isMissing }) => {
  describe.skipIf(isMissing)('one commit', () => {
    it('holds the step, its history row, its event and the next attempt', async () => {
      const engine = await openEngine(await create(), external)
      const reviewed = await waitingForReview(engine)
      await engine.machine.advance(reviewed.id, { trigger: 'human_approved' }, asker('reviewer'))

      const workflow = await engine.get(reviewed.id)
      expect(workflow).toMatchObject({ status: 'in_progress', current_phase: 'phase_2', attempt: { number: 1 } })
      const history = await engine.store.listHistory(reviewed.id, 0, 100)
      expect(history.map((row) => row.trigger)).toEqual(['start', 'agent_complete', 'human_approved'])
      const events = await engine.store.listEvents({ after: 0, limit: 100 })
      const told = events.filter((event) => event.type === 'workflow.transition')
      expect(told.map((event) => event.sequence)).toEqual(history.map((row) => row.sequence))
      expect((await engine.store.listAttempts(reviewed.id)).map(({ phase, state }) => [phase, state])).toEqual([
        ['phase_1', 'succeeded'],
        ['phase_2', 'running'],
      ])
    })

    it('leaves nothing of a step that is refused at its end', async () => {
      const engine = await openEngine(await create(), external)
      const reviewed = await waitingForReview(engine)
      const before = await engine.store.lastSequence()
      let hooks = 0
      const broken = engine.store.write(async (tx) => {
        tx.afterCommit(() => hooks++)
        await appendNote(tx, reviewed.id, 'never')
        await tx.findWorkflow(reviewed.id)
        await tx.moveWorkflow(
          { id: reviewed.id, status: 'waiting_approval', attempt_id: reviewed.attempt!.id },
          { ...completionOf(reviewed), completed_at: null, history_sequence: await tx.takeSequence() },
        )
        throw new ServiceError('STALE_REVIEW', 'refused at the end')
      })
      await expect(broken).rejects.toMatchObject({ code: 'STALE_REVIEW' })
      expect(await engine.get(reviewed.id)).toEqual(reviewed)
      expect(await engine.store.lastSequence()).toBe(before)
      expect(hooks).toBe(0)
    })

    it('moves no workflow from where it does not stand', async () => {
      const engine = await openEngine(await create(), external)
      const reviewed = await waitingForReview(engine)
      const stale = engine.store.write(async (tx) => {
        await tx.findWorkflow(reviewed.id)
        const moved = await tx.moveWorkflow(
          { id: reviewed.id, status: 'in_progress', attempt_id: reviewed.attempt!.id },
          { ...completionOf(reviewed), history_sequence: await tx.takeSequence() },
        )
        if (!moved) throw new ServiceError('INVALID_STATE_TRANSITION', 'somebody was first')
      })
      await expect(stale).rejects.toThrow(/somebody was first|null value in column "status"/)
      expect(await engine.get(reviewed.id)).toEqual(reviewed)
    })

    it('runs what waits for the commit before it answers', async () => {
      const engine = await openEngine(await create(), external)
      const order: string[] = []
      await engine.store.write(async (tx) => {
        tx.afterCommit(() => order.push('hook'))
        await tx.takeFeatureNumber(0)
        order.push('written')
      })
      order.push('answered')
      expect(order).toEqual(['written', 'hook', 'answered'])
    })
  })

  describe.skipIf(isMissing)('many at once', () => {
    it('lets exactly one of fifty identical decisions through', async () => {
      const engine = await openEngine(await create(), external)
      const { id } = await waitingForReview(engine)
      const work = Array.from({ length: 50 }, () =>
        engine.machine.advance(id, { trigger: 'human_approved' }, asker('reviewer')),
      )
      const { done, refused } = await outcomes(work)
      expect(done).toHaveLength(1)
      expect(new Set(refused)).toEqual(new Set(['INVALID_STATE_TRANSITION']))
      const history = await engine.store.listHistory(id, 0, 100)
      expect(history.filter((row) => row.trigger === 'human_approved')).toHaveLength(1)
      expect((await engine.store.listAttempts(id)).map((attempt) => attempt.phase)).toEqual(['phase_1', 'phase_2'])
    })

    it('gives a feature one active workflow, and the others the reason', async () => {
      const engine = await openEngine(await create(), external)
      const { id, feature_id } = await engine.create()
      await engine.machine.cancel(id, undefined, asker('tester'))
      const work = Array.from({ length: 20 }, () => engine.create({ feature_id, workflow_type: 'plan' }))
      const { done, refused } = await outcomes(work)
      expect(done).toHaveLength(1)
      expect(refused).toEqual(Array.from({ length: 19 }, () => 'FEATURE_BUSY'))
    })

    it('numbers features without a double and without a gap', async () => {
      const engine = await openEngine(await create(), external)
      const created = await Promise.all(Array.from({ length: 30 }, () => engine.create()))
      const numbers = created.map(({ feature_id }) => Number.parseInt(feature_id, 10))
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    })

    it('answers one key with one workflow, and another body under it not at all', async () => {
      const engine = await openEngine(await create(), external)
      const body = { workflow_type: 'specify', feature_description: 'Add user authentication' } as const
      const ask = (body_digest: string) => engine.machine.create(body, asker('tester'), { key: 'once', body_digest })
      const { done, refused } = await outcomes(Array.from({ length: 20 }, () => ask('a')))
      expect(done).toHaveLength(1)
      expect(refused).toEqual(Array.from({ length: 19 }, () => 'IDEMPOTENCY_IN_FLIGHT'))
      expect(await ask('a')).toEqual(done[0])
      await expect(ask('b')).rejects.toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' })
      expect((await engine.store.listWorkflows({})).items).toHaveLength(1)
    })

    it('shows a reader every event once and in order, however the commits fall', async () => {
      const engine = await openEngine(await create(), external)
      const { id } = await engine.create()
      const seen: StreamEvent[] = []
      let position = await engine.store.lastSequence()
      const readOn = async () => {
        await nextTurn()
        const events = await engine.store.listEvents({ after: position, limit: 20 })
        seen.push(...events)
        position = events.at(-1)?.sequence ?? position
      }
      const writers = Array.from({ length: 200 }, (_, index) =>
        engine.store.write(async (tx) => {
          await appendNote(tx, id, `${index} first`)
          await appendNote(tx, id, `${index} second`)
        }),
      )
      const written = Promise.all(writers)
      let isWritten = false
      void written.then(() => (isWritten = true))
      while (!isWritten) await readOn()
      await written
      await expect.poll(() => readOn().then(() => seen.length), { interval: 5, timeout: 10_000 }).toBe(400)
      const sequences = seen.map((event) => event.sequence)
      expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
      expect(new Set(sequences).size).toBe(400)
    })

    it('tells a listener of every commit that appended events', async () => {
      const engine = await openEngine(await create(), external)
      let told = 0
      engine.store.onEvents(() => told++)
      const { id } = await engine.create()
      await expect.poll(() => told).toBeGreaterThan(0)
      const before = told
      await engine.machine.advance(id, { trigger: 'agent_complete' }, asker('agent'))
      await expect.poll(() => told).toBeGreaterThan(before)
    })
  })

  describe.skipIf(isMissing)('values', () => {
    it('come back as they went in: bytes, numbers, JSON and text with every character', async () => {
      const engine = await openEngine(await create(), external)
      const content = randomBytes(4096)
      const digest = 'a'.repeat(64) as Digest
      await engine.store.insertArtifact({ path: 'specs/x.bin', digest, size: 4096, media_type: 'x/y' }, content)
      await engine.store.insertArtifact({ path: 'specs/y.bin', digest, size: 4096, media_type: 'x/y' }, content)
      const found = await engine.store.findArtifact(digest)
      expect(Buffer.from(found!.content).equals(content)).toBe(true)
      expect(found!.path).toBe('specs/x.bin')
      expect(await engine.store.listMissingArtifacts([digest, 'b'.repeat(64) as Digest])).toEqual(['b'.repeat(64)])

      const context = { deep: [1, null, { text: 'ü 漢 👩‍💻 \u0000 \u2028' }], number: 1.5 }
      const workflow = await engine.create({ context, feature_description: "it's ü 漢 👩‍💻 % _ \\ 'quoted'" })
      expect(await engine.get(workflow.id)).toEqual(workflow)
      expect(workflow.context).toEqual(context)
      expect(workflow.feature_description).toBe("it's ü 漢 👩‍💻 % _ \\ 'quoted'")
      await engine.machine.advance(
        workflow.id,
        { trigger: 'agent_complete', phase_result: { output: 'a\0b' } },
        asker('agent'),
      )
      expect((await engine.store.listAttempts(workflow.id))[0]).toMatchObject({ state: 'succeeded', tries: 0 })
    })

    it('are found by part of their text, where % and _ are themselves', async () => {
      const engine = await openEngine(await create(), external)
      await engine.create({ feature_description: 'Reach 100% coverage of snake_case names' })
      await engine.create({ feature_description: 'Reach 100 coverage of snakeXcase names' })
      const find = async (q: string) => (await engine.store.listWorkflows({ q })).items.length
      expect([await find('100%'), await find('snake_case'), await find('REACH'), await find('nothing')]).toEqual([
        1, 1, 2, 0,
      ])
    })

    it('are listed in pages, newest first, without a double', async () => {
      const engine = await openEngine(await create(), external)
      const created = await Promise.all(Array.from({ length: 12 }, () => engine.create()))
      const ids: string[] = []
      let cursor: string | undefined
      do {
        const page = await engine.store.listWorkflows({ limit: 5, ...(cursor !== undefined && { cursor }) })
        ids.push(...page.items.map((item) => item.id))
        cursor = page.next_cursor ?? undefined
      } while (cursor !== undefined)
      expect(ids.toSorted()).toEqual(created.map((workflow) => workflow.id).toSorted())
      expect((await engine.store.listFeatures(Number.MAX_SAFE_INTEGER, 5, null)).map((one) => one.sequence)).toEqual([
        12, 11, 10, 9, 8,
      ])
    })
  })
})

describe.each(databases.lasting)('what $title keeps', ({ create, isMissing }) => {
  it.skipIf(isMissing)('is there when it is opened again', async () => {
    const url = await create()
    const first = await openEngine(url, external)
    const workflow = await waitingForReview(first)
    await first.close()
    const second = await openEngine(url, external)
    expect(await second.get(workflow.id)).toEqual(workflow)
    expect(await second.store.listEvents({ after: 0, limit: 10 })).toHaveLength(3)
  })

  it.skipIf(isMissing)('is refused when a newer version wrote it', async () => {
    const url = await create()
    const first = await openEngine(url, external)
    const entry = { name: '9999_later', timestamp: new Date().toISOString() }
    await first.session.write((tx) =>
      tx.withTables<{ kysely_migration: typeof entry }>().insertInto('kysely_migration').values(entry).execute(),
    )
    await first.close()
    await expect(openEngine(url, external)).rejects.toThrow(
      /^DATABASE_URL: the database .* cannot be used, because a newer version wrote it \(it has 9999_later\)/,
    )
  })
})
