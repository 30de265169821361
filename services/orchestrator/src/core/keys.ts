import { randomBytes, timingSafeEqual } from 'node:crypto'

import { sha256 } from './outcome.ts'

export const ROLES = ['viewer', 'submitter', 'reviewer', 'hub', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** What is kept of a key: its secret only as a SHA-256. */
export interface KeyRecord {
  id: string
  name: string
  role: Role
  secret_sha256: string
  created_at: string
  expires_at: string | null
  revoked_at: string | null
}

export interface KeyStore {
  findKey(id: string): Promise<KeyRecord | undefined>
  countKeys(): Promise<number>
  insertKey(record: KeyRecord): Promise<void>
}

export interface KeyHolder {
  name: string
  role: Role
  key_id: string
}

/** `ok_<id>_<secret>`; the secret has 256 bits. */
const KEY_PATTERN = /^ok_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/

/** Keys: made once, shown once, looked up by id and compared in constant time. */
export class Keys {
  readonly #store: KeyStore
  readonly #now: () => Date

  constructor(store: KeyStore, now: () => Date) {
    this.#store = store
    this.#now = now
  }

  /** Who holds this key; undefined when it is unknown, expired or revoked. */
  async find(key: string): Promise<KeyHolder | undefined> {
    const [, id, secret] = KEY_PATTERN.exec(key) ?? []
    if (id === undefined || secret === undefined) return undefined
    const record = await this.#store.findKey(id)
    if (record === undefined || !matches(secret, record.secret_sha256)) return undefined
    const now = this.#now().toISOString()
    if (record.revoked_at !== null || (record.expires_at !== null && record.expires_at <= now)) return undefined
    return { name: record.name, role: record.role, key_id: record.id }
  }

  /** The whole key, which nobody can ever see again. */
  async create(name: string, role: Role): Promise<string> {
    const id = randomBytes(6).toString('hex')
    const secret = randomBytes(32).toString('base64url')
    await this.#store.insertKey({
      id,
      name,
      role,
      secret_sha256: sha256(secret),
      created_at: this.#now().toISOString(),
      expires_at: null,
      revoked_at: null,
    })
    return `ok_${id}_${secret}`
  }

  async hasAny(): Promise<boolean> {
    return (await this.#store.countKeys()) > 0
  }
}

function matches(secret: string, digest: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(secret), 'hex'), Buffer.from(digest, 'hex'))
}
