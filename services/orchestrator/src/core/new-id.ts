import { randomUUIDv7 } from 'node:crypto'

/**
 * A new id: a UUID that begins with the time (RFC 9562, version 7), so that rows made together lie
 * together in an index, however large it grows.
 */
export function newId<T extends string = string>(): T {
  return randomUUIDv7() as T
}
