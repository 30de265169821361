/** How a service that died is started again: at most `most` times within `window_ms`, waiting longer each time. */
export interface RestartPolicy {
  most: number
  window_ms: number
  first_delay_ms: number
}

export const RESTART_POLICY: RestartPolicy = { most: 5, window_ms: 60_000, first_delay_ms: 250 }

/**
 * How long to wait before starting it again, or undefined when it died too often.
 * `deaths` are the times of all deaths so far, the latest one included, in milliseconds of a steady clock.
 */
export function restartDelay(deaths: readonly number[], policy: RestartPolicy): number | undefined {
  const latest = deaths.at(-1) ?? 0
  const recent = deaths.filter((death) => latest - death < policy.window_ms).length
  return recent > policy.most ? undefined : policy.first_delay_ms * 2 ** (recent - 1)
}
