import { execFile } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'

import { afterCommit, openDatabase, type Database } from '../../src/index.ts'

interface Schema {
  note: { id: number; text: string }
}

const migrations: Record<string, Migration> = {
  '0001_note': {
    up: async (db: Kysely<unknown>) => {
      await sql`create table note (id integer primary key, text text not null unique)`.execute(db)
    },
  },
}

let folder: string
let opened: Database<Schema>[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-'))
  opened = []
})

afterEach(async () => {
  await Promise.all(opened.map((database) => database.close()))
  rmSync(folder, { recursive: true, force: true })
})

async function open(path: string, onBatch?: (size: number) => void): Promise<Database<Schema>> {
  const database = await openDatabase<Schema>({
    path,
    migrations,
    variable: 'DATABASE_URL',
    ...(onBatch && { onBatch }),
  })
  opened.push(database)
  return database
}

describe.each([
  ['a file', () => join(folder, 'deep', 'notes.db')],
  ['memory', () => ':memory:'],
])('in %s', (_, path) => {
  it('shares one commit among concurrent writers', async () => {
    const batches: number[] = []
    const database = await open(path(), (size) => batches.push(size))
    await Promise.all(
      Array.from({ length: 100 }, (_unused, i) =>
        database.write((tx) =>
          tx
            .insertInto('note')
            .values({ id: i, text: `note ${i}` })
            .execute(),
        ),
      ),
    )
    expect(batches).toEqual([100])
    expect(await database.read.selectFrom('note').selectAll().execute()).toHaveLength(100)
  })

  it('rolls back a failed writer alone', async () => {
    const database = await open(path())
    const insert = (id: number, text: string) =>
      database.write(async (tx) => {
        await tx.insertInto('note').values({ id, text }).execute()
      })
    const outcomes = await Promise.allSettled([insert(1, 'same'), insert(2, 'same'), insert(3, 'other')])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await database.read.selectFrom('note').select('id').execute()).toEqual([{ id: 1 }, { id: 3 }])
  })

  it('does the work of the others again when one fails after it wrote, and tells each of its own outcome', async () => {
    const database = await open(path())
    let runs = 0
    const insert = (id: number) =>
      database.write(async (tx) => {
        runs++
        await tx
          .insertInto('note')
          .values({ id, text: `note ${id}` })
          .execute()
        afterCommit(tx, () => hooks.push(id))
        if (id === 2) throw new Error('changed my mind')
      })
    const hooks: number[] = []
    const outcomes = await Promise.allSettled([insert(1), insert(2), insert(3)])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await database.read.selectFrom('note').select('id').execute()).toEqual([{ id: 1 }, { id: 3 }])
    expect(hooks).toEqual([1, 3])
    // 1 and 2, then all of them.
    expect(runs).toBe(5)
  })

  it('keeps the work of the others when one fails before it wrote, without doing it again', async () => {
    const database = await open(path())
    let runs = 0
    const refuse = () =>
      database.write(async (tx) => {
        runs++
        await tx.selectFrom('note').selectAll().execute()
        throw new Error('no')
      })
    const insert = (id: number) =>
      database.write(async (tx) => {
        runs++
        await tx
          .insertInto('note')
          .values({ id, text: `note ${id}` })
          .execute()
      })
    const outcomes = await Promise.allSettled([insert(1), refuse(), insert(3)])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await database.read.selectFrom('note').select('id').execute()).toEqual([{ id: 1 }, { id: 3 }])
    expect(runs).toBe(3)
  })

  it('undoes all of a writer that throws after it wrote', async () => {
    const database = await open(path())
    await expect(
      database.write(async (tx) => {
        await tx.insertInto('note').values({ id: 1, text: 'gone' }).execute()
        throw new Error('changed my mind')
      }),
    ).rejects.toThrow('changed my mind')
    expect(await database.read.selectFrom('note').selectAll().execute()).toEqual([])
  })

  it('never shows a reader what is not committed', async () => {
    const database = await open(path())
    const seen: Promise<unknown[]>[] = []
    await database.write(async (tx) => {
      await tx.insertInto('note').values({ id: 1, text: 'half' }).execute()
      seen.push(database.read.selectFrom('note').selectAll().where('text', '=', 'half').execute())
      await tx.updateTable('note').set({ text: 'whole' }).execute()
    })
    expect(await Promise.all(seen)).toEqual([[]])
  })

  it('runs hooks after the commit only, and none of a writer that failed', async () => {
    const database = await open(path())
    const hooks: string[] = []
    const kept = database.write(async (tx) => {
      afterCommit(tx, () => hooks.push('kept'))
      await tx.insertInto('note').values({ id: 1, text: 'kept' }).execute()
    })
    const lost = database.write(async (tx) => {
      afterCommit(tx, () => hooks.push('lost'))
      throw new Error('no')
    })
    await expect(lost).rejects.toThrow('no')
    await kept
    expect(hooks).toEqual(['kept'])
  })

  it('lets work finish before it closes and refuses what comes later', async () => {
    const database = await open(path())
    const early = database.write((tx) => tx.insertInto('note').values({ id: 1, text: 'early' }).execute())
    const closed = database.close()
    await expect(database.write((tx) => tx.deleteFrom('note').execute())).rejects.toThrow('closed')
    await expect(early).resolves.toBeDefined()
    await closed
  })
})

it('keeps what was written through a restart', async () => {
  const path = join(folder, 'notes.db')
  const first = await open(path)
  await first.write((tx) => tx.insertInto('note').values({ id: 1, text: 'kept' }).execute())
  await first.close()
  const second = await open(path)
  expect(await second.read.selectFrom('note').select('text').execute()).toEqual([{ text: 'kept' }])
})

it('refuses a second owner and names the variable', async () => {
  const path = join(folder, 'notes.db')
  await open(path)
  await expect(open(path)).rejects.toThrow(/DATABASE_URL: .*another process is using it/)
})

it('refuses a second owner that comes by a link to the file', async () => {
  const path = join(folder, 'notes.db')
  await open(path)
  symlinkSync(path, join(folder, 'link.db'))
  await expect(open(join(folder, 'link.db'))).rejects.toThrow(/DATABASE_URL: .*another process is using it/)
})

it.each([
  ['synchronous = full', 'synchronous = normal', 'journal_mode wal, synchronous 1'],
  ['journal_mode = wal', 'journal_mode = delete', 'journal_mode delete, synchronous 2'],
])('refuses a connection that did not take %s, also where there is nothing to migrate', async (wanted, taken, said) => {
  const path = join(folder, 'notes.db')
  await (await open(path)).close()
  const { exec } = DatabaseSync.prototype
  onTestFinished(() => void (DatabaseSync.prototype.exec = exec))
  DatabaseSync.prototype.exec = function weakened(statement) {
    exec.call(this, statement.replace(wanted, taken))
  }
  const refusal = `DATABASE_URL: the database ${path} cannot be used, because it cannot be written safely there (${said})`
  await expect(open(path)).rejects.toThrow(refusal)
  await expect(open(join(folder, 'new.db'))).rejects.toThrow(said)
  DatabaseSync.prototype.exec = exec
  expect(await (await open(path)).read.selectFrom('note').selectAll().execute()).toEqual([])
})

it('gives the file to the next owner when the first was killed', async () => {
  const path = join(folder, 'notes.db')
  const script = `
    import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, '../../src/index.ts'))}
    await openDatabase({ path: ${JSON.stringify(path)}, migrations: {}, variable: 'X' })
    process.kill(process.pid, 'SIGKILL')`
  await expect(
    promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', script]),
  ).rejects.toMatchObject({ signal: 'SIGKILL' })
  await expect(open(path)).resolves.toBeDefined()
})

it('refuses a database that a newer version wrote, and leaves it alone', async () => {
  const path = join(folder, 'notes.db')
  const newer = await openDatabase<Schema>({
    path,
    migrations: { ...migrations, '0002_later': { up: async () => {} } },
    variable: 'DATABASE_URL',
  })
  await newer.close()
  await expect(open(path)).rejects.toThrow(/a newer version wrote it \(it has 0002_later\)/)
})

it.each([
  [
    'not a database',
    (path: string) => writeFileSync(path, 'plain text, long enough to be read as a page '.repeat(100)),
    /not an SQLite database/,
  ],
  [
    'damaged',
    (path: string) => writeFileSync(path, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(5000, 7)])),
    /damaged|not an SQLite database/,
  ],
])('says in one line that a file is %s', async (_, spoil, message) => {
  const path = join(folder, 'notes.db')
  spoil(path)
  await expect(open(path)).rejects.toThrow(message)
})

it('looks through a large file while it is used, and ends on what it finds', async () => {
  const path = join(folder, 'notes.db')
  const large = await open(path)
  await large.write((tx) =>
    sql`insert into note (text) with recursive n(i) as (select 1 union all select i + 1 from n where i < 90000)
      select printf('%0800d', i) from n`.execute(tx),
  )
  await large.close()
  opened = []
  const fatal = Promise.withResolvers<unknown>()
  const options = { path, migrations, variable: 'DATABASE_URL', onFatal: fatal.resolve }
  const intact = await openDatabase<Schema>(options)
  await intact.close()

  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(2048, 7), 0, 2048, Math.floor(statSync(path).size / 4096) * 2048)
  closeSync(file)
  const damaged = await openDatabase<Schema>(options)
  opened.push(damaged)
  expect(String(await fatal.promise)).toMatch(
    /DATABASE_URL: the database .* cannot be used, because it is damaged \(.*\): restore a backup$/,
  )
  await expect(damaged.write((tx) => tx.insertInto('note').values({ id: 1, text: 'a' }).execute())).rejects.toThrow(
    'nothing more is written',
  )
})

it('says that a folder cannot be made', async () => {
  writeFileSync(join(folder, 'file'), '')
  chmodSync(join(folder, 'file'), 0o400)
  await expect(open(join(folder, 'file', 'notes.db'))).rejects.toThrow(
    /^DATABASE_URL: the database .* cannot be used, because /,
  )
})

it('a migration that breaks off leaves nothing behind, so that the next start can do it again', async () => {
  const path = join(folder, 'notes.db')
  const broken: Migration = {
    up: async (db: Kysely<unknown>) => {
      await sql`create table note (id integer primary key)`.execute(db)
      throw new Error('the power went')
    },
  }
  const options = { path, variable: 'DATABASE_URL' }
  await expect(openDatabase({ ...options, migrations: { '0001_note': broken } })).rejects.toThrow('the power went')
  const database = await open(path)
  await database.write((tx) => tx.insertInto('note').values({ id: 1, text: 'a' }).execute())
  expect(await database.read.selectFrom('note').selectAll().execute()).toEqual([{ id: 1, text: 'a' }])
})
