import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { hashOfCreation, hashOfRow, hashOfWords } from '@orchestrator/audit'
import type { WorkflowId } from '@orchestrator/contract'
import { openDatabase } from '@orchestrator/sqlite'
import { sql } from 'kysely'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'

import { migrations } from '../../src/db/migrations/index.ts'
import type { Tables } from '../../src/db/models.ts'
import { asker } from '../asker.ts'
import { openDatabases } from '../databases.ts'
import { openEngine, type Engine } from '../engine.ts'
import { temporaryFolder } from '../service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const external = { phase_execution: 'external' } as const
const ROBIN = asker('Robin', { key_id: '0123456789ab', request_id: 'request-1', address: '192.0.2.7' })
const KIM = asker('Kim', { key_id: 'ba9876543210', request_id: 'request-2', address: '2001:db8::1' })

/** Sent back with words once, then cancelled with a reason. */
async function story(engine: Engine): Promise<WorkflowId> {
  const { id } = await engine.machine.create(
    { workflow_type: 'specify', feature_description: 'Add user authentication' },
    ROBIN,
  )
  await engine.machine.advance(id, { trigger: 'agent_complete', phase_result: { output: 'x' } }, asker('agent'))
  const comments = 'Ask Alex about the providers.'
  await engine.machine.advance(id, { trigger: 'human_rejected', phase_result: { approved: false, comments } }, KIM)
  await engine.machine.cancel(id, 'Alex has left.', ROBIN)
  return id
}

async function stored({ session: { read } }: Engine, id: WorkflowId) {
  return {
    workflow: await read.selectFrom('workflows').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    rows: await read
      .selectFrom('workflow_history')
      .selectAll()
      .where('workflow_id', '=', id)
      .orderBy('sequence')
      .execute(),
    words: await read.selectFrom('history_words').selectAll().execute(),
  }
}

describe.each(databases.all)('the history on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('says who asked, with which key, in which request and from where', async () => {
    const engine = await openEngine(await create(), external)
    const id = await story(engine)
    const { workflow } = await stored(engine, id)
    expect(workflow).toMatchObject({ created_by: 'Robin', key_id: ROBIN.key_id, request_id: 'request-1' })
    const told = await engine.store.listHistory(id, 0, 100)
    expect(told.map(({ actor, key_id, request_id, address }) => [actor, key_id, request_id, address])).toEqual([
      ['orchestrator', null, null, null],
      ['agent', null, null, null],
      ['Kim', KIM.key_id, 'request-2', '2001:db8::1'],
      ['Robin', ROBIN.key_id, 'request-1', '192.0.2.7'],
    ])
  })

  it.skipIf(isMissing)('is a chain whose last link stands with the workflow', async () => {
    const engine = await openEngine(await create(), external)
    const { workflow, rows } = await stored(engine, await story(engine))
    let hash = hashOfCreation(workflow)
    const links = rows.map((row) => (hash = hashOfRow(hash, row)))
    expect(rows).toHaveLength(4)
    expect(rows.map((row) => row.hash)).toEqual(links)
    expect(workflow.history_hash).toBe(links.at(-1))
  })

  it.skipIf(isMissing)('keeps a person’s words beside the chain, and a machine’s in it', async () => {
    const engine = await openEngine(await create(), external)
    const id = await story(engine)
    const { rows, words } = await stored(engine, id)
    expect(rows.map((row) => row.metadata)).toEqual([
      null,
      '{"output":"x"}',
      '{"approved":false}',
      '{"cancelled":true}',
    ])
    expect(JSON.stringify(rows)).not.toContain('Alex')
    const hashes = words.map((one) => hashOfWords(one.salt ?? '', one.words ?? ''))
    expect(new Set(hashes)).toEqual(new Set(rows.slice(2).map((row) => row.words_hash)))

    const told = await engine.store.listHistory(id, 0, 100)
    expect(told.slice(2).map((row) => [row.metadata, row.words_erased])).toEqual([
      [{ approved: false, comments: 'Ask Alex about the providers.' }, false],
      [{ cancelled: true, reason: 'Alex has left.', error: 'Cancelled by Robin: Alex has left.' }, false],
    ])
    await engine.session.write((tx) => tx.updateTable('history_words').set({ words: null, salt: null }).execute())
    expect((await engine.store.listHistory(id, 0, 100)).map((row) => row.words_erased)).toEqual([
      false,
      false,
      true,
      true,
    ])
  })

  it.skipIf(isMissing).each(['update workflow_history set actor = actor', 'delete from workflow_history'])(
    'refuses "%s"',
    async (statement) => {
      const engine = await openEngine(await create(), external)
      const id = await story(engine)
      const before = await stored(engine, id)
      const refused = engine.session.write((tx) => sql.raw(statement).execute(tx))
      await expect(refused).rejects.toThrow('the history is only ever added to')
      expect(await stored(engine, id)).toEqual(before)
    },
  )
})

describe('a database from before the chain', () => {
  it('is chained as it is found', async () => {
    const path = join(await temporaryFolder(), 'old.db')
    onTestFinished(() => rm(dirname(path), { recursive: true }))
    const { '0001_initial': initial } = migrations
    const old = await openDatabase<Tables>({ path, migrations: { '0001_initial': initial! }, variable: 'DATABASE_URL' })
    await old.write(async (tx) => {
      for (const statement of OLD_ROWS) await sql.raw(statement).execute(tx)
    })
    await old.close()

    const engine = await openEngine(`sqlite:///${path}`, external)
    const { workflow, rows } = await stored(engine, 'w' as WorkflowId)
    let hash = hashOfCreation(workflow)
    expect(rows.map((row) => row.hash)).toEqual(rows.map((row) => (hash = hashOfRow(hash, row))))
    expect(workflow.history_hash).toBe(rows[1]?.hash)
    const told = await engine.store.listHistory('w' as WorkflowId, 0, 10)
    expect(told.map((row) => row.metadata)).toEqual([null, { output: 'x' }])
  })
})

const OLD_ROWS = [
  `insert into workflows (id, workflow_type, status, feature_id, feature_description, created_at, updated_at,
    workspace, created_by, attempt_id, sequence)
   values ('w', 'specify', 'waiting_approval', '001-login', 'Add a login', 't1', 't3', 'default', 'local', 'a', 1)`,
  ...[
    `('h1', 'w', 'pending', 'in_progress', 'start', null, 't2', 2, 'orchestrator', 'a')`,
    `('h2', 'w', 'in_progress', 'waiting_approval', 'agent_complete', '{"output":"x"}', 't3', 3, 'local', 'a')`,
  ].map(
    (values) => `insert into workflow_history (id, workflow_id, from_status, to_status, trigger, metadata, created_at,
      sequence, actor, attempt_id) values ${values}`,
  ),
]
