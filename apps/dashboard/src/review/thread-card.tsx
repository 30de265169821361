import type { ReactNode } from 'react'

import type { Thread } from '@orchestrator/contract'

import { Icon, type IconName } from '../components/icon.tsx'
import { Badge, type Tone } from '../components/status.tsx'
import { Proposal } from './proposal.tsx'

const FATES: Record<Thread['fate'], { word: string; icon: IconName; tone: Tone }> = {
  open: { word: 'Sent', icon: 'comment', tone: 'running' },
  addressed: { word: 'Addressed', icon: 'check', tone: 'done' },
  declined: { word: 'Declined', icon: 'cross', tone: 'failed' },
  unanswered: { word: 'Unanswered', icon: 'question', tone: 'waiting' },
}

/** A comment that was sent, and what became of it; below it the change that answers it. */
export function ThreadCard({ thread, children }: { thread: Thread; children?: ReactNode }) {
  const { text, quote, path, lines, reply, fate, replacement } = thread
  return (
    <article className="my-2 rounded-[10px] border border-line bg-raised p-3 text-base leading-5.5">
      <header className="mb-1 flex flex-wrap items-center gap-2 text-sm text-soft">
        <Badge {...FATES[fate]} />
        {path !== null && (
          <span className="min-w-0 truncate font-mono text-xs">
            {path.split('/').at(-1)}
            {lines !== null && `:${lines.start}`}
          </span>
        )}
      </header>
      {replacement !== null ? (
        <Proposal before={quote} after={replacement} />
      ) : (
        quote !== null && (
          <blockquote className="mb-1 line-clamp-2 border-l-2 border-line-strong pl-2.5 text-sm text-soft">
            {quote}
          </blockquote>
        )
      )}
      <p className="whitespace-pre-wrap">{text}</p>
      {reply !== null && (
        <p className="mt-2 flex gap-2 border-t border-line pt-2 text-soft">
          <Icon name="spark" className="mt-0.5 size-3.5 text-accent" />
          <span className="min-w-0 whitespace-pre-wrap">{reply}</span>
        </p>
      )}
      {children}
    </article>
  )
}
