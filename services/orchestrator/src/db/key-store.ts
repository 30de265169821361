import type { Insertable, Selectable } from 'kysely'

import type { KeyRecord, KeyStore } from '../core/keys.ts'
import { createActs, type Acts } from './act-store.ts'
import type { KeysTable } from './models.ts'
import { prepare } from './prepared.ts'
import { parseJson, toJson } from './rows.ts'
import type { Session } from './session.ts'

export function createKeyStore(session: Session, acts: Pick<Acts, 'append'> = createActs(session)): KeyStore {
  // Asked by every request that shows a key.
  const findKey = prepare<{ id: string }, Selectable<KeysTable>>((value) =>
    session.read.selectFrom('keys').selectAll().where('id', '=', value('id')),
  )
  return {
    async findKey(id) {
      const [row] = (await findKey(session.read, { id })).rows
      return row && recordOf(row)
    },
    async listKeys() {
      const rows = await session.read.selectFrom('keys').selectAll().orderBy('created_at').orderBy('id').execute()
      return rows.map(recordOf)
    },
    async listGood(ids, now) {
      const rows = await session.read
        .selectFrom('keys')
        .select('id')
        .where('id', 'in', ids)
        .where('revoked_at', 'is', null)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
        .execute()
      return rows.map(({ id }) => id)
    },
    async countKeys() {
      const { count } = await session.read
        .selectFrom('keys')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return count
    },
    async insertKey(record, act) {
      await session.write(async (tx) => {
        await tx.insertInto('keys').values(rowOf(record)).execute()
        if (act !== undefined) await acts.append(tx, act)
      })
    },
    insertFirstKey: (record) =>
      session.write(async (tx) => {
        // Held until the commit, so that a second replica counts the first one's key.
        await tx
          .updateTable('counters')
          .set((eb) => ({ value: eb.ref('value') }))
          .where('name', '=', 'feature_number')
          .execute()
        const { count } = await tx
          .selectFrom('keys')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow()
        if (count > 0) return false
        await tx.insertInto('keys').values(rowOf(record)).execute()
        return true
      }),
    revokeKey: (id, now, by) =>
      session.write(async (tx) => {
        // Holds every admin's row, so that two admins cannot revoke each other at once.
        await tx
          .updateTable('keys')
          .set((eb) => ({ role: eb.ref('role') }))
          .where('role', '=', 'admin')
          .execute()
        const revoked = await tx
          .updateTable('keys')
          .set({ revoked_at: now })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .where((eb) =>
            eb.or([
              eb('role', '!=', 'admin'),
              eb('workspaces', 'is not', null),
              eb('expires_at', '<=', now),
              eb.exists(
                eb
                  .selectFrom('keys as other')
                  .select('other.id')
                  .where('other.id', '!=', id)
                  .where('other.role', '=', 'admin')
                  .where('other.workspaces', 'is', null)
                  .where('other.revoked_at', 'is', null)
                  .where((other) =>
                    other.or([other('other.expires_at', 'is', null), other('other.expires_at', '>', now)]),
                  ),
              ),
            ]),
          )
          .executeTakeFirst()
        const isRevoked = revoked.numUpdatedRows === 1n
        if (isRevoked && by !== undefined)
          await acts.append(tx, { by, action: 'key.revoked', subject: id, details: {}, created_at: now })
        return isRevoked
      }),
  }
}

function recordOf({ workspaces, ...row }: Selectable<KeysTable>): KeyRecord {
  return { ...row, workspaces: parseJson<string[]>(workspaces) }
}

function rowOf({ workspaces, ...record }: KeyRecord): Insertable<KeysTable> {
  return { ...record, workspaces: toJson(workspaces) }
}
