import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { DatabaseError, sqliteResultCode, SQLITE_BUSY, SQLITE_NOTADB } from './database-error.ts'
import { lockForOwner, ownerPath } from './owner-lock.ts'

/** What a backup is: enough to tell whether a file is still the one that was written. */
export interface BackupFile {
  bytes: number
  sha256: string
  /** What the database had been through, so that it can be told which version reads it. */
  migrations: string[]
}

/**
 * A consistent copy of a database as it is at this moment, whether or not a service is writing to it: one
 * long read, which holds no writer up. Written beside the target and renamed when it is on disk. Throws a DatabaseError.
 */
export async function backUp(path: string, target: string): Promise<BackupFile> {
  if (!existsSync(path)) throw new DatabaseError(`there is no database at ${path}`)
  if (existsSync(target)) throw new DatabaseError(`${target} is there already: name another folder`)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const unfinished = `${target}.unfinished`
  await rm(unfinished, { force: true })
  try {
    const database = new DatabaseSync(path, { timeout: 5_000 })
    try {
      database.prepare('vacuum into ?').run(unfinished)
    } finally {
      database.close()
    }
    const file = await verifyDatabase(unfinished)
    await flush(unfinished)
    await rename(unfinished, target)
    await flush(dirname(target))
    return file
  } catch (error) {
    await rm(unfinished, { force: true })
    throw explain(error, path)
  }
}

export interface RestoreOptions {
  source: string
  path: string
  /** What the file must be; undefined where nobody noted it. */
  expected: Pick<BackupFile, 'sha256'> | undefined
  /** Puts what is there aside, under a name that is answered. */
  overwrite: boolean
}

/** Puts a verified backup where the service will look. Throws a DatabaseError, and then nothing has changed. */
export async function restore(o: RestoreOptions): Promise<BackupFile & { put_aside: string | null }> {
  try {
    if (!existsSync(o.source)) throw new DatabaseError(`there is no backup at ${o.source}`)
    const file = await verifyDatabase(o.source)
    if (o.expected !== undefined && o.expected.sha256 !== file.sha256)
      throw new DatabaseError(`${o.source} is not the file that was backed up: its SHA-256 differs`)
    await mkdir(dirname(o.path), { recursive: true })
    const owner = new DatabaseSync(ownerPath(o.path))
    try {
      lockForOwner(owner)
      return { ...file, put_aside: await replace(o) }
    } finally {
      owner.close()
    }
  } catch (error) {
    throw explain(error, o.path)
  }
}

async function replace({ source, path, overwrite }: RestoreOptions): Promise<string | null> {
  if (existsSync(path) && !overwrite)
    throw new DatabaseError(`${path} is there already: add --overwrite, and it is put aside first`)
  const arriving = `${path}.restoring`
  await copyFile(source, arriving)
  await flush(arriving)
  const aside = existsSync(path) ? `${path}.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}` : null
  // The log belongs to its database: left behind, SQLite would apply it to the other one.
  if (aside !== null)
    for (const suffix of ['-wal', '-shm', ''])
      if (existsSync(path + suffix)) await rename(path + suffix, aside + suffix)
  await rename(arriving, path)
  await flush(dirname(path))
  return aside
}

/** Reads the whole file, and every page of the database in it. */
async function verifyDatabase(path: string): Promise<BackupFile> {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const found = database.prepare('pragma integrity_check(1)').get()?.['integrity_check']
    if (found !== 'ok') throw new DatabaseError(`${path} is damaged (${String(found)})`)
    const migrations = database.prepare('select name from kysely_migration order by name').all()
    return {
      bytes: (await stat(path)).size,
      sha256: await digestOf(path),
      migrations: migrations.map((row) => String(row['name'])),
    }
  } finally {
    database.close()
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** SQLite does not wait for the disk when it writes a copy. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function explain(error: unknown, path: string): Error {
  if (error instanceof DatabaseError) return error
  const code = sqliteResultCode(error)
  if (code === SQLITE_BUSY) return new DatabaseError(`a service is using ${path}: stop it first`, { cause: error })
  if (code === SQLITE_NOTADB)
    return new DatabaseError(`${path} is not an SQLite database, or damaged`, { cause: error })
  return new DatabaseError(error instanceof Error ? error.message : String(error), { cause: error })
}
