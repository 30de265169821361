import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openEmbedded, TEMPLATE_VARIABLE } from './postgres-server.ts'

/**
 * Makes the files of an empty Postgres once before all tests, for each server of theirs to begin with a copy; and the user
 * that Postgres wants where root runs the tests, which two files at the same time could not make. Where that cannot be done,
 * each file finds out by itself and says why. Projects come one after the other: the first makes it for all.
 */
export async function setup(): Promise<void> {
  if (process.env['TEST_POSTGRES_URL'] !== undefined || process.env[TEMPLATE_VARIABLE] !== undefined) return
  const password = `orchestrator-postgres-template-${randomUUID()}`
  const folder = join(tmpdir(), password)
  try {
    const server = await openEmbedded(folder, password, 1)
    await server.initialise()
    process.env[TEMPLATE_VARIABLE] = folder
  } catch {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function teardown(): Promise<void> {
  const folder = process.env[TEMPLATE_VARIABLE]
  if (folder === undefined) return
  delete process.env[TEMPLATE_VARIABLE]
  await rm(folder, { recursive: true, force: true })
}
