import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { sql, type Generated } from 'kysely'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { backUp, restore } from '../../src/backup.ts'
import { openDatabase, type Database } from '../../src/database.ts'

interface Tables {
  notes: { id: Generated<number>; text: string }
}

let folder: string
let path: string
const opened: Database<Tables>[] = []

const open = async () => {
  const database = await openDatabase<Tables>({
    path,
    variable: 'DATABASE_URL',
    migrations: {
      '0001_notes': {
        up: (db) => sql`create table notes (id integer primary key, text text not null)`.execute(db).then(() => {}),
      },
    },
  })
  opened.push(database)
  return database
}
const write = (database: Database<Tables>, text: string) =>
  database.write((tx) => tx.insertInto('notes').values({ text }).execute())
const read = async (database: Database<Tables>) =>
  (await database.read.selectFrom('notes').select('text').orderBy('id').execute()).map((row) => row.text)
const restoreFrom = (source: string, overwrite = false, sha256?: string) =>
  restore({ source, path, overwrite, expected: sha256 === undefined ? undefined : { sha256 } })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-'))
  path = join(folder, 'store.db')
})
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close()
  await rm(folder, { recursive: true, force: true })
})

it('holds what was acknowledged when it began, while others go on writing', async () => {
  const database = await open()
  const acknowledged: number[] = []
  let isWriting = true
  const writing = (async () => {
    for (let count = 0; isWriting; count++) {
      await write(database, `note ${count}`)
      acknowledged.push(count)
    }
  })()
  await expect.poll(() => acknowledged.length).toBeGreaterThan(50)
  const before = acknowledged.length
  const file = await backUp(path, join(folder, 'copy.db'))
  await expect.poll(() => acknowledged.length).toBeGreaterThan(before)
  isWriting = false
  await writing
  await database.close()
  expect(file).toMatchObject({ migrations: ['0001_notes'], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })

  const { put_aside } = await restoreFrom(join(folder, 'copy.db'), true, file.sha256)
  const restored = await read(await open())
  expect(restored.length).toBeGreaterThanOrEqual(before)
  expect(restored).toEqual(restored.map((_, count) => `note ${count}`))
  const aside = new DatabaseSync(String(put_aside))
  expect(aside.prepare('select count(*) as count from notes').get()).toEqual({ count: acknowledged.length })
  aside.close()
})

it('is made of a database that nobody has open, also after a crash left its log behind', async () => {
  const database = await open()
  await write(database, 'kept')
  await database.close()
  await backUp(path, join(folder, 'copy.db'))
  await rm(path)
  await restoreFrom(join(folder, 'copy.db'))
  expect(await read(await open())).toEqual(['kept'])
})

it.each([
  ['no database', () => backUp(join(folder, 'none.db'), join(folder, 'copy.db')), 'there is no database'],
  ['a file that is there', () => backUp(path, path), 'is there already'],
  ['what is no database', () => backUp(join(folder, 'text'), join(folder, 'copy.db')), 'not an SQLite database'],
])('is refused for %s, and leaves nothing behind', async (_, attempt, sentence) => {
  await (await open()).close()
  await writeFile(join(folder, 'text'), 'This is no database. '.repeat(100))
  const before = await readdir(folder)
  await expect(attempt()).rejects.toThrow(sentence)
  expect(await readdir(folder)).toEqual(before)
})

it('is restored over nothing that is there, unless it is said so', async () => {
  const database = await open()
  await write(database, 'kept')
  await backUp(path, join(folder, 'copy.db'))
  await write(database, 'later')
  await expect(restoreFrom(join(folder, 'copy.db'), true)).rejects.toThrow('a service is using')
  await database.close()
  await expect(restoreFrom(join(folder, 'copy.db'))).rejects.toThrow('--overwrite')
  expect(await read(await open())).toEqual(['kept', 'later'])
})

it('is not restored when it is another file than the one that was written, or damaged', async () => {
  const database = await open()
  await write(database, 'kept')
  const copy = join(folder, 'copy.db')
  const { sha256 } = await backUp(path, copy)
  await database.close()
  await appendFile(copy, ' ')
  await expect(restoreFrom(copy, true, sha256)).rejects.toThrow('its SHA-256 differs')
  await writeFile(copy, 'x')
  await expect(restoreFrom(copy, true)).rejects.toThrow()
  await expect(restoreFrom(join(folder, 'none.db'), true)).rejects.toThrow('there is no backup')
  expect(await read(await open())).toEqual(['kept'])
})
