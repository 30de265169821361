import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { workflowSchema } from '@orchestrator/contract'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { startCli } from './cli-process.ts'
import { startKeyedService, type KeyedService } from './keyed-service.ts'

const root = resolve(import.meta.dirname, '../../../..')
let service: KeyedService
let folder: string
beforeAll(async () => {
  service = await startKeyedService()
})
afterAll(() => service.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-backup-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function run(words: string[], database: string) {
  const cli = startCli(root, words, { DATABASE_URL: database, HUB_DATABASE_URL: `sqlite:///${folder}/hub.db` })
  const exit_code = await cli.exited
  return { exit_code, text: cli.lines.join('\n'), errors: cli.errors.join('\n') }
}

describe('orchestrator backup and restore', () => {
  it('copies a running service’s database, and puts it in place elsewhere', async () => {
    const headers = { authorization: `Bearer ${service.admin_key}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ workflow_type: 'specify', feature_description: 'Add user authentication' })
    const created = await fetch(`${service.url}/workflows`, { method: 'POST', headers, body })
    const { id } = workflowSchema.parse(await created.json())
    const copy = join(folder, 'copy')
    const only = ['--only', 'orchestrator', '--json']
    const made = await run(['backup', copy, ...only], `sqlite:///${service.folder}/orchestrator.db`)
    expect({ exit_code: made.exit_code, errors: made.errors }).toEqual({ exit_code: 0, errors: '' })
    const report = JSON.parse(made.text)
    expect(report).toMatchObject({ folder: copy, databases: { orchestrator: { migrations: expect.any(Array) } } })
    expect(report.not_covered).toContain('Working copies')

    const elsewhere = `sqlite:///${folder}/restored.db`
    const restored = await run(['restore', copy, ...only], elsewhere)
    expect(restored.exit_code).toBe(0)
    expect(JSON.parse(restored.text).databases.orchestrator).toMatchObject({ put_aside: null })
    const database = new DatabaseSync(join(folder, 'restored.db'))
    expect(database.prepare('select id from workflows').all()).toEqual([{ id }])
    database.close()
    expect(await run(['restore', copy, ...only], elsewhere)).toMatchObject({
      exit_code: 1,
      errors: expect.stringContaining('--overwrite'),
    })
    const again = await run(['restore', copy, '--only', 'orchestrator', '--overwrite'], elsewhere)
    expect(again).toMatchObject({ exit_code: 0, text: expect.stringContaining('what was there is now') })
  })

  it.each([
    ['a service that runs', 'restore', () => `sqlite:///${service.folder}/orchestrator.db`, 1, 'There is no backup'],
    ['no database', 'backup', () => `sqlite:///${folder}/none.db`, 1, 'there is no database'],
    ['a Postgres server', 'backup', () => 'postgres://user:secret@localhost/x', 1, 'pg_dump'],
  ])('says in a sentence what is wrong with %s', async (_, command, database, expected, sentence) => {
    const { exit_code, errors } = await run([command, join(folder, 'copy')], database())
    expect({ exit_code, errors }).toEqual({ exit_code: expected, errors: expect.stringContaining(sentence) })
    expect(errors).not.toContain('secret')
    expect(existsSync(join(folder, 'copy', 'backup.json'))).toBe(false)
  })
})

describe('orchestrator migrate', () => {
  it.each([
    ['no URL', 'here', 2, '--to must be'],
    ['a service that runs', 'postgres://user:secret@127.0.0.1:1/x', 1, 'another process is using it'],
  ])('says in a sentence what is wrong with %s', async (_, to, expected, sentence) => {
    const answer = await run(['migrate', '--to', to], `sqlite:///${service.folder}/orchestrator.db`)
    expect(answer).toMatchObject({ exit_code: expected, text: '', errors: expect.stringContaining(sentence) })
    expect(answer.errors).not.toContain('secret')
  })
})
