import { createStore } from '../src/db/store.ts'
import { openSession, type Session } from '../src/db/session.ts'
import type { WorkflowStore } from '../src/core/ports.ts'

/** The real store on a database that lives as long as the test. */
export async function openMemoryStore(): Promise<{ session: Session; store: WorkflowStore }> {
  const session = await openSession({ url: 'sqlite:///:memory:', onFatal: () => {} })
  return { session, store: createStore(session) }
}
