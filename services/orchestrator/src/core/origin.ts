/** Who does something and how it came in: what every row of the history says. */
export interface Origin {
  name: string
  /** Null where nobody showed a key. */
  key_id: string | null
  request_id: string | null
  address: string | null
  /** W3C trace context, when somebody traces; not part of the history. */
  traceparent?: string | undefined
}

/** What the service, or an agent at its behest, does without being asked over HTTP. */
export function byItself(name = 'orchestrator'): Origin {
  return { name, key_id: null, request_id: null, address: null }
}
