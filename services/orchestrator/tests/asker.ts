import type { Asker } from '../src/core/privileges.ts'

/** Who asks without a key, by a name. */
export function asker(name: string, more: Partial<Asker> = {}): Asker {
  return { name, role: 'local', key_id: null, workspaces: null, request_id: null, address: null, ...more }
}
