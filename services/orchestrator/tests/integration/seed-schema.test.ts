import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

import { expect, it, onTestFinished } from 'vitest'

import { openSession } from '../../src/db/session.ts'
import { temporaryFolder } from '../service.ts'

/** As `pragma table_info` tells it; what SQLite calls a primary key of text may be null by its own rules. */
const column = (name: string, more: { notnull?: 1; dflt_value?: string; pk?: 1 } = {}) => ({
  name,
  type: 'TEXT',
  notnull: 0,
  dflt_value: null,
  pk: 0,
  ...more,
})
const needed = { notnull: 1 } as const

/** The seed's section "Database Schema". Ours may have more columns. */
const SEED = {
  workflows: [
    column('id', { pk: 1 }),
    column('workflow_type', needed),
    column('status', { ...needed, dflt_value: "'pending'" }),
    column('feature_id', needed),
    column('feature_description', needed),
    column('current_phase'),
    column('context'),
    column('result'),
    column('error'),
    column('created_at', needed),
    column('updated_at', needed),
    column('completed_at'),
  ],
  workflow_history: [
    column('id', { pk: 1 }),
    column('workflow_id', needed),
    column('from_status', needed),
    column('to_status', needed),
    column('trigger', needed),
    column('metadata'),
    column('created_at', needed),
  ],
}

async function openFresh(): Promise<DatabaseSync> {
  const folder = await temporaryFolder()
  const session = await openSession({ url: `sqlite:///${folder}/orchestrator.db`, onFatal: () => {} })
  await session.close()
  const database = new DatabaseSync(`${folder}/orchestrator.db`, { readOnly: true })
  onTestFinished(async () => {
    database.close()
    await rm(folder, { recursive: true, force: true })
  })
  return database
}

it.each(Object.entries(SEED))('a fresh file has the table %s of the seed, column by column', async (table, columns) => {
  const database = await openFresh()
  const found = database.prepare(
    `select name, upper(type) as type, "notnull", dflt_value, pk from pragma_table_info(?)`,
  )
  const wanted = new Set(columns.map(({ name }) => name))
  // Rows of SQLite have no prototype.
  const ours = found.all(table).map((row) => ({ ...row }))
  expect(ours.filter(({ name }) => wanted.has(String(name)))).toEqual(columns)
})

it('a fresh file’s history belongs to its workflows', async () => {
  const database = await openFresh()
  const references = database
    .prepare(`select "from", "table", "to" from pragma_foreign_key_list('workflow_history')`)
    .all()
    .map((row) => ({ ...row }))
  expect(references).toContainEqual({ from: 'workflow_id', table: 'workflows', to: 'id' })
})
