import { pause } from './pause.ts'

/** Milliseconds to the next try: few after the first failure, and never so many that a disk with room again goes unnoticed. */
export const retryMs = (failures: number) => Math.min(250 * 2 ** (failures - 1), 5000)

/**
 * Resolves as soon as `attempt` does; `onFirstFailure` hears of the first time that it did not. Once the signal has
 * aborted it is tried one last time, and the promise rejects as that try does: who stops the hub does not wait for a
 * disk, and what is left undone is for the next start.
 */
export async function retryUntilDone<T>(
  attempt: () => Promise<T>,
  { closing, onFirstFailure }: { closing: AbortSignal; onFirstFailure(error: unknown): void },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    const is_last = closing.aborted
    try {
      return await attempt()
    } catch (error) {
      if (is_last) throw error
      if (failures === 1) onFirstFailure(error)
      await pause(retryMs(failures), closing)
    }
  }
}
