import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseError, parseSqliteUrl } from '@orchestrator/sqlite'
import pg from 'pg'

import { preparePostgres } from './postgres-migrate.ts'
import { connectionOptions, storable } from './postgres-pool.ts'
import { openSession } from './session.ts'

/** Rows of one statement, and about how many bytes, so that a large artifact does not meet 999 others. */
const BATCH_ROWS = 500
const BATCH_BYTES = 4_000_000
const PARAMETERS_MAX = 60_000
/** What a new database has of its own, which the moved rows replace. */
const SEEDED = new Set(['counters', 'queues'])
const SUM_MODULUS = 2n ** 256n

export interface MovedTable {
  table: string
  rows: number
  /** Of the content, whatever the order: the same on both sides, or nothing was moved. */
  digest: string
}

/**
 * Everything in an SQLite file into an empty Postgres database, in one transaction that is committed only when
 * both sides hold the same. The file is read under its owner's lock and stays as it is. Throws a DatabaseError.
 */
export async function moveToPostgres(from: string, to: string): Promise<MovedTable[]> {
  const path = parseSqliteUrl(from)
  if (path === ':memory:') throw new DatabaseError('DATABASE_URL names no file, so there is nothing to move')
  // Brings an older file up to this version, and refuses one that a service is using.
  const owner = await openSession({ url: from, onFatal: () => {} })
  const source = new DatabaseSync(path, { readOnly: true })
  const client = new pg.Client(connectionOptions(to))
  client.on('error', () => {})
  try {
    await preparePostgres(to)
    await client.connect()
    await client.query('begin')
    const moved: MovedTable[] = []
    const tables = listTables(source)
    await assertSameShape(source, client, tables)
    for (const table of tables) await assertEmpty(client, table)
    for (const table of tables) moved.push(await moveTable(source, client, table))
    await client.query('commit')
    // The numbers of events go on beyond those that came along.
    await preparePostgres(to)
    return moved
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error instanceof DatabaseError ? error : new DatabaseError(sentenceOf(error), { cause: error })
  } finally {
    source.close()
    await client.end().catch(() => {})
    await owner.close()
  }
}

/** Each after those that it refers to. */
function listTables(source: DatabaseSync): string[] {
  const names = source
    .prepare(
      `select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name not like 'kysely%'`,
    )
    .all()
    .map((row) => String(row['name']))
  const sorted: string[] = []
  const visit = (table: string) => {
    if (sorted.includes(table)) return
    const parents = source.prepare(`pragma foreign_key_list(${quoted(table)})`).all()
    for (const parent of parents) if (parent['table'] !== table) visit(String(parent['table']))
    sorted.push(table)
  }
  names.forEach(visit)
  return sorted
}

async function assertSameShape(source: DatabaseSync, client: pg.Client, tables: string[]): Promise<void> {
  const { rows } = await client.query<{ table_name: string; column_name: string }>(
    `select table_name, column_name from information_schema.columns
     where table_schema = current_schema() and table_name not like 'kysely%'`,
  )
  const there = Map.groupBy(rows, (row) => row.table_name)
  for (const table of tables) {
    const theirs = (there.get(table) ?? []).map((row) => row.column_name).toSorted()
    if (columnsOf(source, table).toSorted().join() !== theirs.join())
      throw new DatabaseError(`the table ${table} differs between the two databases, which is a fault of this program`)
  }
}

async function assertEmpty(client: pg.Client, table: string): Promise<void> {
  if (SEEDED.has(table)) return
  const { rowCount } = await client.query(`select 1 from ${quoted(table)} limit 1`)
  if (rowCount !== 0)
    throw new DatabaseError(
      `the Postgres database is not empty (${table} has rows): name a new one, so that nothing is mixed`,
    )
}

async function moveTable(source: DatabaseSync, client: pg.Client, table: string): Promise<MovedTable> {
  const columns = columnsOf(source, table)
  if (SEEDED.has(table)) await client.query(`delete from ${quoted(table)}`)
  const here = new ContentDigest()
  let batch: unknown[][] = []
  let bytes = 0
  const flush = async () => {
    if (batch.length > 0) await client.query(insertOf(table, columns, batch.length), batch.flat())
    batch = []
    bytes = 0
  }
  for (const row of source.prepare(`select * from ${quoted(table)}`).iterate()) {
    const values = columns.map((column) => storable(row[column]))
    here.add(values)
    batch.push(values)
    bytes += values.reduce<number>((sum, value) => sum + sizeOf(value), 0)
    if (batch.length >= BATCH_ROWS || bytes >= BATCH_BYTES || (batch.length + 1) * columns.length > PARAMETERS_MAX)
      await flush()
  }
  await flush()
  await setIdentity(client, table)
  const there = await digestOf(client, table, columns)
  if (here.rows !== there.rows || here.digest !== there.digest)
    throw new DatabaseError(
      `${table} did not arrive as it was (${here.rows} rows here, ${there.rows} there): nothing was moved`,
    )
  return { table, rows: here.rows, digest: here.digest }
}

/** Numbers that the database gives go on after the last one that came along. */
async function setIdentity(client: pg.Client, table: string): Promise<void> {
  const { rows } = await client.query<{ column_name: string }>(
    `select column_name from information_schema.columns
     where table_schema = current_schema() and table_name = $1 and is_identity = 'YES'`,
    [table],
  )
  for (const { column_name: column } of rows)
    await client.query(
      `select setval(pg_get_serial_sequence($1, $2), coalesce((select max(${quoted(column)}) from ${quoted(table)}), 0) + 1, false)`,
      [table, column],
    )
}

async function digestOf(client: pg.Client, table: string, columns: string[]): Promise<ContentDigest> {
  const digest = new ContentDigest()
  await client.query(
    `declare moved no scroll cursor for select ${columns.map(quoted).join(', ')} from ${quoted(table)}`,
  )
  for (;;) {
    const { rows } = await client.query<Record<string, unknown>>(`fetch ${BATCH_ROWS} from moved`)
    for (const row of rows) digest.add(columns.map((column) => row[column]))
    if (rows.length < BATCH_ROWS) break
  }
  await client.query('close moved')
  return digest
}

/** A sum of the rows' SHA-256: databases give rows in different orders. */
class ContentDigest {
  rows = 0
  #sum = 0n

  add(values: readonly unknown[]): void {
    const text = JSON.stringify(
      values.map((value) => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value)),
    )
    this.rows++
    this.#sum = (this.#sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)) % SUM_MODULUS
  }

  get digest(): string {
    return this.#sum.toString(16).padStart(64, '0')
  }
}

function columnsOf(source: DatabaseSync, table: string): string[] {
  return source
    .prepare(`pragma table_info(${quoted(table)})`)
    .all()
    .map((row) => String(row['name']))
}

function insertOf(table: string, columns: string[], rows: number): string {
  const row = (index: number) => `(${columns.map((_, column) => `$${index * columns.length + column + 1}`).join(', ')})`
  const values = Array.from({ length: rows }, (_, index) => row(index)).join(', ')
  return `insert into ${quoted(table)} (${columns.map(quoted).join(', ')}) values ${values}`
}

function sizeOf(value: unknown): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
