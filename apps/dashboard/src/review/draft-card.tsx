import { useEffect, useId, useRef, useState } from 'react'

import { Button, IconButton } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import type { DraftComment } from './draft.ts'

interface DraftCardProps {
  draft: DraftComment
  /** Said when the comment was written on another attempt. */
  origin?: string
  onChange: (id: string, text: string) => void
  onRemove: (id: string) => void
}

/** A comment that is not sent yet. It is kept with every key stroke; closing it only folds it. */
export function DraftCard({ draft, origin, onChange, onRemove }: DraftCardProps) {
  const [editing, setEditing] = useState(draft.text === '')
  const field = useRef<HTMLTextAreaElement>(null)
  const id = useId()
  useEffect(() => {
    if (editing) field.current?.focus()
  }, [editing])
  const finish = () => (draft.text.trim() === '' ? onRemove(draft.id) : setEditing(false))
  const where =
    draft.lines === null
      ? 'on the whole'
      : draft.lines.start === draft.lines.end
        ? `line ${draft.lines.start}`
        : `lines ${draft.lines.start}–${draft.lines.end}`

  return (
    <article className="my-3 rounded-[10px] border border-accent/40 bg-raised p-3 text-base leading-5.5 shadow-raised">
      <header className="mb-1.5 flex items-center gap-2 text-sm text-soft">
        <Icon name="comment" className="size-3.5 text-accent" />
        <span className="font-medium text-ink">Your comment</span>
        <span>{where}</span>
        <span className="rounded-full bg-accent-soft px-1.5 font-medium text-accent">Draft</span>
        {origin !== undefined && <span>{origin}</span>}
        {!editing && (
          <span className="ml-auto flex">
            <Button look="quiet" className="min-h-7 px-2" onClick={() => setEditing(true)}>
              Edit
            </Button>
            <IconButton icon="cross" label="Delete the comment" className="size-7" onClick={() => onRemove(draft.id)} />
          </span>
        )}
      </header>
      {draft.quote !== null && (
        <blockquote className="mb-2 line-clamp-3 border-l-2 border-line-strong pl-2.5 text-sm text-soft">
          {draft.quote}
        </blockquote>
      )}
      {editing ? (
        <>
          <label htmlFor={id} className="sr-only">
            Your comment
          </label>
          <textarea
            ref={field}
            id={id}
            rows={2}
            maxLength={10_000}
            value={draft.text}
            placeholder="What should be different?"
            onChange={(event) => onChange(draft.id, event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape' || (event.key === 'Enter' && (event.ctrlKey || event.metaKey))) {
                event.preventDefault()
                finish()
              }
            }}
            className="field field-sizing-content"
          />
          <div className="mt-2 flex items-center gap-2">
            <Button look="primary" disabled={draft.text.trim() === ''} onClick={finish}>
              Add to review
            </Button>
            <Button look="quiet" onClick={() => onRemove(draft.id)}>
              Delete
            </Button>
          </div>
        </>
      ) : (
        <p className="whitespace-pre-wrap">{draft.text}</p>
      )}
    </article>
  )
}
