import { createHash } from 'node:crypto'
import type { Digest, InvokeRequest } from '@orchestrator/contract'

/** SHA-256 in lower-case hexadecimal. */
export function digestBytes(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest
}

/**
 * The same for the same work, in whatever order its fields came. How long it may take and by which model is no part of it:
 * a caller whose settings changed over a restart still finds what it began.
 */
export function digestRequest(agent: string, request: InvokeRequest): Digest {
  const { timeout_seconds: _, model: __, ...parameters } = request.parameters
  return digestBytes(JSON.stringify([agent, sortKeys({ ...request, parameters })]))
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}
