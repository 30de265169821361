export interface BackoffPolicy {
  /** How often the work is handed out before it counts as failed. */
  max_tries: number
  base_ms: number
  cap_ms: number
}

/**
 * Milliseconds to wait before the next try: exponential with equal jitter (half fixed, half drawn),
 * so that many waiting for one hub do not come back at once. `tries` counts those made, from 1;
 * `random` lies in [0, 1).
 */
export function backoffDelay(tries: number, policy: BackoffPolicy, random: number): number {
  const ceiling = Math.min(policy.cap_ms, policy.base_ms * 2 ** (tries - 1))
  return Math.round(ceiling / 2 + (ceiling / 2) * random)
}
