import { AgentFailure } from './agent-failure.ts'

/** Rejects with an AgentFailure by time-out when the work takes longer. */
export async function withClock<T>(work: Promise<T>, ms: number, reason: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const clock = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new AgentFailure(reason(), true)), ms)
  })
  try {
    return await Promise.race([work, clock])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when the work has settled either way, at the latest after `ms`. */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const clock = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([
    work.then(
      () => {},
      () => {},
    ),
    clock,
  ])
  clearTimeout(timer)
}
