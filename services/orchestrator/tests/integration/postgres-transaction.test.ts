import { sql, type Transaction } from 'kysely'
import { afterAll, describe, expect, it } from 'vitest'
import { afterCommit, sendCompiled } from '@orchestrator/sqlite'

import type { Tables } from '../../src/db/models.ts'
import { createPool } from '../../src/db/postgres-pool.ts'
import { transact } from '../../src/db/postgres-transaction.ts'
import { startPostgres } from '../postgres-server.ts'

const postgres = await startPostgres()
// One connection, so that each transaction meets what the last one left of it.
const url = postgres.missing === undefined ? await postgres.createDatabase() : ''
const pool = createPool(url, 1)
afterAll(async () => {
  await pool.end()
  await postgres.stop()
})

const title = postgres.missing === undefined ? 'a transaction on Postgres' : `Postgres, skipped: ${postgres.missing}`

/** A write that is not waited for. */
const send = (tx: Transaction<Tables>, number: number) =>
  sendCompiled(tx, sql`insert into numbers values (${number})`.compile(tx), [number])

const stored = async () => (await pool.query<{ number: number }>('select number from numbers order by number')).rows

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('is over when what was sent is stored', async () => {
    await pool.query('create table numbers (number int primary key)')
    const hooks: string[] = []
    const answer = await transact(pool, async (tx) => {
      await send(tx, 1)
      await send(tx, 2)
      afterCommit(tx, () => hooks.push('committed'))
      return 'done'
    })
    expect(answer).toBe('done')
    expect(hooks).toEqual(['committed'])
    expect(await stored()).toEqual([{ number: 1 }, { number: 2 }])
  })

  it('fails by a write that nobody waited for, and leaves nothing', async () => {
    const hooks: string[] = []
    const twice = transact(pool, async (tx) => {
      await send(tx, 3)
      await send(tx, 1)
      await send(tx, 4)
      afterCommit(tx, () => hooks.push('committed'))
    })
    await expect(twice).rejects.toMatchObject({ code: '23505' })
    expect(hooks).toEqual([])
    expect(await stored()).toEqual([{ number: 1 }, { number: 2 }])
  })

  it('tells of the first failure, not of what followed from it', async () => {
    const reading = transact(pool, async (tx) => {
      await send(tx, 1)
      return sql`select 1`.execute(tx)
    })
    await expect(reading).rejects.toMatchObject({ code: '23505' })
  })

  it('is rolled back by whoever throws within, and the next one does not hear of it', async () => {
    const hooks: string[] = []
    const refused = transact(pool, async (tx) => {
      await send(tx, 5)
      afterCommit(tx, () => hooks.push('refused'))
      throw new Error('refused')
    })
    await expect(refused).rejects.toThrow('refused')
    await transact(pool, (tx) => send(tx, 6))
    expect(hooks).toEqual([])
    expect(await stored()).toEqual([{ number: 1 }, { number: 2 }, { number: 6 }])
  })

  it('takes nothing any more once it has ended', async () => {
    let ended: Transaction<Tables> | undefined
    await transact(pool, async (tx) => {
      ended = tx
    })
    await expect(send(ended!, 7)).rejects.toThrow('has ended')
    await expect(sql`insert into numbers values (8)`.execute(ended!)).rejects.toThrow('has ended')
    expect(await stored()).toEqual([{ number: 1 }, { number: 2 }, { number: 6 }])
  })
})
