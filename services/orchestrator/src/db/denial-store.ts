import type { DenialStore } from '../core/denials.ts'
import type { Session } from './session.ts'

export function createDenialStore({ read, write }: Session): DenialStore {
  return {
    async insertDenials(denials, keep) {
      await write(async (tx) => {
        await tx
          .insertInto('denials')
          .values([...denials])
          .execute()
        const oldest = await tx
          .selectFrom('denials')
          .select('sequence')
          .orderBy('sequence', 'desc')
          .offset(keep)
          .limit(1)
          .executeTakeFirst()
        if (oldest === undefined) return
        await tx.deleteFrom('denials').where('sequence', '<=', oldest.sequence).execute()
      })
    },

    listDenials: (before, limit) =>
      read
        .selectFrom('denials')
        .selectAll()
        .where('sequence', '<', before)
        .orderBy('sequence', 'desc')
        .limit(limit)
        .execute(),
  }
}
