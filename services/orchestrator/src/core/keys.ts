import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

import { ServiceError, type CreatedKey, type CreateKey, type Key, type Role } from '@orchestrator/contract'

import { sha256 } from './outcome.ts'
import type { Act } from './acts.ts'
import type { Origin } from './origin.ts'
import type { Scope } from './scope.ts'
import * as sentences from './sentences.ts'

/** What is kept of a key: its secret only as a SHA-256. */
export interface KeyRecord extends Key {
  secret_sha256: string
}

export interface KeyStore {
  findKey(id: string): Promise<KeyRecord | undefined>
  listKeys(): Promise<KeyRecord[]>
  /** Which of these are good at `now`. */
  listGood(ids: readonly string[], now: string): Promise<string[]>
  countKeys(): Promise<number>
  insertKey(record: KeyRecord, act?: Act): Promise<void>
  /** Only into a store without any; answers false when there is one, from whichever replica. */
  insertFirstKey(record: KeyRecord): Promise<boolean>
  /** Answers false when it is unknown, revoked already, or the last good one of an admin of all workspaces. */
  revokeKey(id: string, now: string, by?: Origin): Promise<boolean>
}

export interface KeyHolder {
  name: string
  role: Role
  key_id: string
  workspaces: Scope
}

/** `ok_<id>_<secret>`; the secret has 256 bits. */
const KEY_PATTERN = /^ok_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/
/** Compared with when there is no such id, so that the time taken does not tell. */
const NOBODYS = Buffer.from('0'.repeat(64))
/** How long a key that was right is not looked up again. Revoked here, it opens nothing from then on; elsewhere, after this. */
const FRESH_MS = 400
/** Keys that are remembered. */
const REMEMBERED_MAX = 10_000
const SHA256_PATTERN = /^[0-9a-f]{64}$/

/** A key that was right a moment ago. */
interface Right {
  holder: KeyHolder
  digest: Buffer
  from_ms: number
  until_ms: number
}

/** Keys: made once, shown once, looked up by id and compared in constant time. */
export class Keys {
  readonly #store: KeyStore
  readonly #now: () => Date
  readonly #right = new Map<string, Right>()
  /** Of what is remembered; what was read in an earlier one is not. */
  #generation = 0

  constructor(store: KeyStore, now: () => Date) {
    this.#store = store
    this.#now = now
  }

  /** Who holds this key; undefined when it is unknown, expired or revoked. */
  async find(key: string): Promise<KeyHolder | undefined> {
    const [, id, secret] = KEY_PATTERN.exec(key) ?? []
    if (id === undefined || secret === undefined) return undefined
    // In hexadecimal, as it is stored: making the bytes takes longer than hashing.
    const digest = Buffer.from(hash('sha256', secret))
    const known = this.#right.get(id)
    const isKnown = timingSafeEqual(digest, known?.digest ?? NOBODYS)
    const now_ms = this.#now().getTime()
    if (known !== undefined && isKnown && now_ms >= known.from_ms && now_ms < known.until_ms) return known.holder
    // A wrong secret of a known key comes here as well, and takes as long as that of none.
    return this.#look(id, digest, now_ms)
  }

  async #look(id: string, digest: Buffer, now_ms: number): Promise<KeyHolder | undefined> {
    const generation = this.#generation
    const record = await this.#store.findKey(id)
    const isRight = timingSafeEqual(digest, record === undefined ? NOBODYS : digestOf(record))
    if (record === undefined || !isRight || !this.#isGood(record)) return undefined
    const { name, role, workspaces, expires_at } = record
    const holder: KeyHolder = { name, role, key_id: id, workspaces }
    if (generation !== this.#generation) return holder
    const ends_ms = expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at)
    if (this.#right.size >= REMEMBERED_MAX) this.#right.clear()
    this.#right.set(id, { holder, digest, from_ms: now_ms, until_ms: Math.min(now_ms + FRESH_MS, ends_ms) })
    return holder
  }

  #forget(): void {
    this.#generation++
    this.#right.clear()
  }

  /** Oldest first; the secrets are not among what is kept. */
  async list(): Promise<Key[]> {
    return (await this.#store.listKeys()).map(withoutSecret)
  }

  /** With the whole key, which nobody can ever see again. Throws VALIDATION_ERROR. */
  async issue({ name, role, workspaces, expires_at }: CreateKey, by?: Origin): Promise<CreatedKey> {
    const now = this.#now().toISOString()
    // In one form, for times are compared as text.
    const expires = expires_at === undefined ? null : new Date(expires_at).toISOString()
    if (expires !== null && expires <= now) {
      const message = sentences.expiresInThePast()
      throw new ServiceError('VALIDATION_ERROR', `expires_at ${message}.`, {
        details: [{ field: 'expires_at', message }],
      })
    }
    const { record, key } = makeKey({
      name,
      role,
      workspaces: workspaces ?? null,
      created_at: now,
      expires_at: expires,
    })
    const { id: subject, created_at } = record
    // Without the name: what stands in the chain cannot be erased.
    const details = { role, workspaces: workspaces ?? null, expires_at: expires }
    await this.#store.insertKey(record, by && { by, action: 'key.created', subject, details, created_at })
    return { ...withoutSecret(record), key }
  }

  /** The key of an admin for a store that has none; undefined when another replica was first. */
  async createFirst(): Promise<string | undefined> {
    const { record, key } = makeKey({
      name: 'admin',
      role: 'admin',
      workspaces: null,
      created_at: this.#now().toISOString(),
      expires_at: null,
    })
    return (await this.#store.insertFirstKey(record)) ? key : undefined
  }

  /** A key that lasts until it is revoked, and nothing else of it. */
  async create(name: string, role: Role): Promise<string> {
    return (await this.issue({ name, role })).key
  }

  /** From now on it opens nothing; a second time changes nothing. Throws KEY_NOT_FOUND, LAST_ADMIN_KEY. */
  async revoke(id: string, by?: Origin): Promise<Key> {
    const revoked = await this.#store.revokeKey(id, this.#now().toISOString(), by)
    this.#forget()
    const record = await this.#store.findKey(id)
    if (record === undefined) throw new ServiceError('KEY_NOT_FOUND', sentences.unknownKey(id))
    if (!revoked && record.revoked_at === null) throw new ServiceError('LAST_ADMIN_KEY', sentences.lastAdminKey())
    return withoutSecret(record)
  }

  async hasAny(): Promise<boolean> {
    return (await this.#store.countKeys()) > 0
  }

  /** Whether anybody can still come in. */
  async hasGood(): Promise<boolean> {
    const records = await this.#store.listKeys()
    return records.some((record) => SHA256_PATTERN.test(record.secret_sha256) && this.#isGood(record))
  }

  #isGood({ revoked_at, expires_at }: KeyRecord): boolean {
    return revoked_at === null && (expires_at === null || expires_at > this.#now().toISOString())
  }
}

function makeKey(about: Omit<Key, 'id' | 'revoked_at'>) {
  const id = randomBytes(6).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const record = { id, ...about, revoked_at: null, secret_sha256: sha256(secret) }
  return { record, key: `ok_${id}_${secret}` }
}

/** A column that holds something else is right for nobody. */
function digestOf({ secret_sha256 }: KeyRecord): Buffer {
  const digest = Buffer.from(secret_sha256)
  return digest.length === NOBODYS.length ? digest : NOBODYS
}

function withoutSecret({ id, name, role, workspaces, created_at, expires_at, revoked_at }: KeyRecord): Key {
  return { id, name, role, workspaces, created_at, expires_at, revoked_at }
}
