import { useEffect, useId, useRef, useState } from 'react'

import type { SaveDraft } from '@orchestrator/contract'

import { Button, IconButton } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import type { DraftComment } from './draft.ts'
import { isBlank } from './draft-outbox.ts'
import { Proposal } from './proposal.tsx'

export interface DraftEdits {
  onChange: (id: string, part: Partial<Pick<SaveDraft, 'text' | 'replacement'>>) => void
  onRemove: (id: string) => void
  /** Turns a comment on lines into a proposal of what they should say; null where their source is not at hand. */
  onSuggest: ((draft: DraftComment) => void) | null
}

interface DraftCardProps extends DraftEdits {
  draft: DraftComment
  /** Where it belongs, when it stands outside its text. */
  place?: string
}

/** A comment that is not sent yet. It is kept with every key stroke; closing it only folds it. */
export function DraftCard({ draft, place, onChange, onRemove, onSuggest }: DraftCardProps) {
  const [editing, setEditing] = useState(isBlank(draft))
  const first = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  const suggests = draft.replacement !== null
  useEffect(() => {
    if (editing) first.current?.focus()
  }, [editing, suggests])
  const finish = () => (isBlank(draft) ? onRemove(draft.id) : setEditing(false))
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key !== 'Escape' && !(event.key === 'Enter' && (event.ctrlKey || event.metaKey))) return
    event.preventDefault()
    finish()
  }
  return (
    <article className="my-3 rounded-[10px] border border-accent/40 bg-raised p-3 text-base leading-5.5 shadow-raised">
      <header className="mb-1.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-soft">
        <Icon name={suggests ? 'pen' : 'comment'} className="size-3.5 text-accent" />
        <span className="font-medium text-ink">{suggests ? 'Your suggestion' : 'Your comment'}</span>
        <span>{place ?? placeOf(draft)}</span>
        <span className="rounded-full bg-accent-soft px-1.5 font-medium text-accent">Draft</span>
        {draft.from !== undefined && <span>{draft.from}</span>}
        {!editing && (
          <span className="ml-auto flex">
            <Button look="quiet" className="min-h-7 px-2" onClick={() => setEditing(true)}>
              Edit
            </Button>
            <IconButton icon="cross" label="Delete the comment" className="size-7" onClick={() => onRemove(draft.id)} />
          </span>
        )}
      </header>
      {!suggests && draft.quote !== null && (
        <blockquote className="mb-2 line-clamp-3 border-l-2 border-line-strong pl-2.5 text-sm text-soft">
          {draft.quote}
        </blockquote>
      )}
      {editing ? (
        <>
          {draft.replacement !== null && (
            <>
              <label htmlFor={`${id}-replacement`} className="sr-only">
                What it should say
              </label>
              <textarea
                ref={first}
                id={`${id}-replacement`}
                rows={2}
                maxLength={20_000}
                value={draft.replacement}
                onChange={(event) => onChange(draft.id, { replacement: event.target.value })}
                onKeyDown={onKeyDown}
                className="field mb-2 field-sizing-content font-mono text-sm"
              />
            </>
          )}
          <label htmlFor={id} className="sr-only">
            Your comment
          </label>
          <textarea
            ref={suggests ? undefined : first}
            id={id}
            rows={suggests ? 1 : 2}
            maxLength={10_000}
            value={draft.text}
            placeholder={suggests ? 'Why? (optional)' : 'What should be different?'}
            onChange={(event) => onChange(draft.id, { text: event.target.value })}
            onKeyDown={onKeyDown}
            className="field field-sizing-content"
          />
          <div className="mt-2 flex flex-wrap items-center gap-2">
            <Button look="primary" disabled={isBlank(draft)} onClick={finish}>
              Add to review
            </Button>
            {!suggests && draft.lines !== null && onSuggest !== null && (
              <Button look="quiet" icon="pen" onClick={() => onSuggest(draft)}>
                Suggest wording
              </Button>
            )}
            <Button look="quiet" className="ml-auto" onClick={() => onRemove(draft.id)}>
              Delete
            </Button>
          </div>
        </>
      ) : (
        <>
          {draft.replacement !== null && <Proposal before={draft.quote} after={draft.replacement} />}
          {draft.text !== '' && <p className="whitespace-pre-wrap">{draft.text}</p>}
        </>
      )}
    </article>
  )
}

function placeOf({ lines }: DraftComment): string {
  if (lines === null) return 'on the whole'
  return lines.start === lines.end ? `line ${lines.start}` : `lines ${lines.start}–${lines.end}`
}
