import { useQuery } from '@tanstack/react-query'

import type { Attempt, Review, Thread } from '@orchestrator/contract'

import { diffQuery } from '../api/queries.ts'
import { Icon } from '../components/icon.tsx'
import { actorName } from '../workflow/words.ts'
import { ThreadCard } from './thread-card.tsx'
import { hunkOf } from './thread-hunk.ts'

interface RoundsProps {
  /** The attempt on screen. */
  attempt: Attempt
  /** The attempts before it, oldest first. */
  before: Attempt[]
  onShow: (path: string, line: number | null) => void
}

/** A comment is always on one attempt and answered by the next. */
interface Round {
  review: Review
  asked: Attempt
  answered: Attempt
}

/** What was asked for in the attempts before, and what became of it: the last round open, those before it folded. */
export function Rounds({ attempt, before, onShow }: RoundsProps) {
  const rounds = before
    .flatMap((asked, index): Round[] => {
      const { review } = asked
      return review === null || review.threads.length === 0
        ? []
        : [{ review, asked, answered: before[index + 1] ?? attempt }]
    })
    .toReversed()
  const [last, ...earlier] = rounds
  if (last === undefined) return null
  return (
    <section className="card p-3.5">
      <h2 className="flex items-baseline justify-between gap-2 font-semibold">
        Last round
        <span className="text-sm font-normal text-soft tabular-nums">{tally(last.review.threads)}</span>
      </h2>
      <p className="text-sm text-soft">{askedWords(last)}</p>
      <Threads round={last} onShow={onShow} />
      {earlier.map((round) => (
        <details key={round.review.id} className="group mt-2 border-t border-line pt-2">
          <summary className="flex min-h-6 flex-wrap items-center gap-x-2 text-sm text-soft">
            <Icon name="chevron" className="size-3.5 transition-transform group-open:rotate-90" />
            {askedWords(round)}
            <span className="ml-auto tabular-nums">{tally(round.review.threads)}</span>
          </summary>
          <Threads round={round} onShow={onShow} />
        </details>
      ))}
    </section>
  )
}

const askedWords = ({ review, asked }: Round): string =>
  review.verdict === 'approved'
    ? `Noted by ${actorName(review.actor)} with the approval of attempt ${asked.number}`
    : `Asked of attempt ${asked.number} by ${actorName(review.actor)}`

function tally(threads: readonly Thread[]): string {
  const settled = threads.filter(({ fate }) => fate === 'addressed').length
  return `${settled} of ${threads.length} addressed`
}

function Threads({ round, onShow }: { round: Round; onShow: RoundsProps['onShow'] }) {
  return round.review.threads.map((thread) => (
    <ThreadCard key={thread.id} thread={thread}>
      {thread.fate === 'addressed' && <WhatChanged thread={thread} round={round} onShow={onShow} />}
    </ThreadCard>
  ))
}

const MOST_LINES = 12

/** The lines that answer a comment, when they can be told. */
function WhatChanged({ thread, round, onShow }: { thread: Thread; round: Round; onShow: RoundsProps['onShow'] }) {
  const main = round.answered.artifacts.find(({ path }) => path.endsWith('.md'))?.path
  const changed = round.answered.artifacts.filter(
    ({ path, digest }) => round.asked.artifacts.find((file) => file.path === path)?.digest !== digest,
  )
  const path = thread.path ?? changed[0]?.path ?? main
  const after = changed.find((file) => file.path === path)
  const before = round.asked.artifacts.find((file) => file.path === path)
  const diff = useQuery({
    ...diffQuery(before?.digest ?? '', after?.digest ?? '', 'lines'),
    enabled: before !== undefined && after !== undefined,
  })
  const hunk = hunkOf(thread, diff.data?.hunks ?? [])
  if (hunk === undefined || path === undefined) return null
  const lines = hunk.lines.filter((line) => !line.startsWith(' '))
  return (
    <details className="group mt-2 text-sm">
      <summary className="flex min-h-6 items-center gap-1.5 text-soft">
        <Icon name="chevron" className="size-3.5 transition-transform group-open:rotate-90" />
        What changed
      </summary>
      <div className="mt-1 overflow-hidden rounded-lg border border-line font-mono text-xs leading-5 whitespace-pre-wrap [overflow-wrap:anywhere]">
        {lines.slice(0, MOST_LINES).map((line, index) =>
          line.startsWith('+') ? (
            <ins key={index} className="block bg-done-soft px-2 no-underline">
              {line}
            </ins>
          ) : (
            <del key={index} className="block bg-failed-soft px-2 no-underline">
              {line}
            </del>
          ),
        )}
      </div>
      <button
        type="button"
        onClick={() => onShow(path, hunk.new_start + hunk.lines.findIndex((line) => !line.startsWith(' ')))}
        className="mt-1 min-h-6 text-accent underline underline-offset-2"
      >
        Show in the text
      </button>
    </details>
  )
}
