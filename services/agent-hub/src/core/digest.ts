import type { Digest, InvokeRequest } from '@orchestrator/contract'

/** SHA-256 in lower-case hexadecimal. */
export async function digestBytes(bytes: Uint8Array): Promise<Digest> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('') as Digest
}

/** The same for the same request, in whatever order its fields came. */
export async function digestRequest(agent: string, request: InvokeRequest): Promise<string> {
  return digestBytes(new TextEncoder().encode(JSON.stringify([agent, sortKeys(request)])))
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
