import type { Review } from '@orchestrator/contract'

import { actorName } from '../workflow/words.ts'
import { ThreadCard } from './thread-card.tsx'

/** What was asked for in the attempt before, and what became of it. */
export function LastRound({ review, number }: { review: Review; number: number }) {
  if (review.threads.length === 0) return null
  const settled = review.threads.filter(({ fate }) => fate === 'addressed').length
  return (
    <section className="card p-3.5">
      <h2 className="flex items-baseline justify-between font-semibold">
        Last round
        <span className="text-sm font-normal text-soft tabular-nums">
          {settled} of {review.threads.length} addressed
        </span>
      </h2>
      <p className="text-sm text-soft">
        Asked of attempt {number} by {actorName(review.actor)}
      </p>
      {review.threads.map((thread) => (
        <ThreadCard key={thread.id} thread={thread} />
      ))}
    </section>
  )
}
