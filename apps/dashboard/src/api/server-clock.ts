/** How far the service's clock is ahead of this machine's, in milliseconds; ages are told by the service's. */
let ahead_ms = 0

/** A header's time is a whole second and the way took a while: less than this is no difference. */
const UNSURE_MS = 5_000

/** Learns from the `Date` of an answer (RFC 9110, section 6.6.1). */
export function learnServerTime(date: string | null): void {
  const told = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(told)) return
  const difference = told - Date.now()
  ahead_ms = Math.abs(difference) < UNSURE_MS ? 0 : difference
}

export const serverNow = (): number => Date.now() + ahead_ms
