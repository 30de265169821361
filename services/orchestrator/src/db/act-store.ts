import { hashOfAct } from '@orchestrator/audit'
import { afterCommit } from '@orchestrator/sqlite'
import type { Selectable, Transaction } from 'kysely'

import type { Act, ActStore } from '../core/acts.ts'
import type { AdminActsTable, Tables } from './models.ts'
import { OutOfOrderError } from './out-of-order.ts'
import { PER_TRANSACTION } from './postgres-sequence.ts'
import { parseObject } from './rows.ts'
import type { Session } from './session.ts'

/** Its row is held while an act is added, so that there is one chain whichever replica adds to it. */
const HELD = 'admin_acts'

export interface Acts extends ActStore {
  /** The next link, in this transaction. */
  append(tx: Transaction<Tables>, act: Act): Promise<void>
}

/** `onAppended` is told after each commit that appended one. */
export function createActs({ read, nextSequence, shared }: Session, onAppended: () => void = () => {}): Acts {
  const takeSequence = async (tx: Transaction<Tables>): Promise<number> => {
    if (nextSequence !== undefined) return nextSequence()
    if (shared === undefined) throw new Error('this database has no sequence')
    const { first } = await tx.selectNoFrom(shared.sequence.first.as('first')).executeTakeFirstOrThrow()
    // The last of this transaction: what else it tells comes before.
    return first + PER_TRANSACTION - 1
  }

  return {
    async append(tx, { by, details, ...act }) {
      await tx
        .updateTable('counters')
        .set((eb) => ({ value: eb.ref('value') }))
        .where('name', '=', HELD)
        .execute()
      const last = await tx
        .selectFrom('admin_acts')
        .select(['sequence', 'hash'])
        .orderBy('sequence', 'desc')
        .limit(1)
        .executeTakeFirst()
      const sequence = await takeSequence(tx)
      if (last !== undefined && last.sequence >= sequence) throw new OutOfOrderError()
      const { name: actor, key_id, request_id, address } = by
      const row = { sequence, ...act, details: JSON.stringify(details), actor, key_id, request_id, address }
      await tx
        .insertInto('admin_acts')
        .values({ ...row, hash: hashOfAct(last?.hash ?? '', row) })
        .execute()
      afterCommit(tx, onAppended)
    },

    async listActs(before, limit) {
      const rows = await read
        .selectFrom('admin_acts')
        .selectAll()
        .where('sequence', '<', before)
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute()
      return rows.map(actOf)
    },
  }
}

function actOf({ details, ...row }: Selectable<AdminActsTable>) {
  return { ...row, details: parseObject(details) ?? {} }
}
