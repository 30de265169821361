import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The HOMEs that agents keep as long as their sessions. */
export interface Homes {
  /** Absolute. */
  directory(session_id: string): string
  remove(session_id: string): Promise<void>
  /** Names of all that lie there, and when each was last changed. */
  list(): Promise<{ name: string; changed_at: Date }[]>
}

export function createHomes(data_dir: string): Homes {
  const folder = join(data_dir, 'homes')
  const directory = (session_id: string) => join(folder, session_id)
  return {
    directory,
    async remove(session_id) {
      await rm(directory(session_id), { recursive: true, force: true })
    },
    async list() {
      const names = await readdir(folder).catch(() => [])
      return Promise.all(names.map(async (name) => ({ name, changed_at: (await stat(join(folder, name))).mtime })))
    },
  }
}
