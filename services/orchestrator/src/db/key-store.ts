import type { KeyStore } from '../core/keys.ts'
import type { Session } from './session.ts'

export function createKeyStore(session: Session): KeyStore {
  return {
    findKey: (id) => session.read.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst(),
    async countKeys() {
      const { count } = await session.read
        .selectFrom('keys')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return count
    },
    async insertKey(record) {
      await session.write((tx) => tx.insertInto('keys').values(record).execute())
    },
  }
}
