import { Icon } from '../components/icon.tsx'
import type { OutlineItem } from './document-blocks.ts'
import type { SectionMarks } from './outline-marks.ts'
import { TickedBy } from './ticked-by.tsx'

interface OutlineProps {
  items: OutlineItem[]
  /** One for each item. */
  marks: SectionMarks[]
}

/** The headings of the document, to jump to: what was read, what is commented on and what is ticked. */
export function Outline({ items, marks }: OutlineProps) {
  const shown = items.map((item, index) => ({ item, mark: marks[index] })).filter(({ item }) => item.level > 1)
  if (shown.length < 3) return null
  return (
    <nav aria-label="Outline" className="hidden lg:sticky lg:top-4 lg:block">
      <h2 className="mb-1 px-2 text-sm font-semibold text-soft">Outline</h2>
      <ul className="flex max-h-[60dvh] flex-col overflow-y-auto text-sm">
        {shown.map(({ item, mark }, index) => (
          // Two headings of a document may have the same words.
          <li key={index}>
            <button
              type="button"
              onClick={() => {
                item.element.scrollIntoView({ block: 'start' })
                item.element.focus({ preventScroll: true })
              }}
              className={`flex min-h-6 w-full items-center gap-2 rounded-md py-0.5 pr-2 text-left hover:bg-hover hover:text-ink ${item.level === 2 ? 'pl-2 text-soft' : 'pl-5 text-faint'}`}
            >
              <span className="min-w-0 flex-1 truncate">{item.text}</span>
              {mark !== undefined && <Marks {...mark} />}
            </button>
            {mark?.last_tick !== undefined && (
              <span className={`block truncate pr-2 text-xs ${item.level === 2 ? 'pl-2' : 'pl-5'}`}>
                <TickedBy item={mark.last_tick} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Marks({ comments, ticked, items, read }: SectionMarks) {
  return (
    <>
      {comments > 0 && (
        <span className="inline-flex items-center gap-1 text-xs text-accent tabular-nums">
          <Icon name="comment" className="size-3" />
          {comments}
          <span className="sr-only">{comments === 1 ? ' comment' : ' comments'}</span>
        </span>
      )}
      {items > 0 && (
        <span className="text-xs whitespace-nowrap tabular-nums">
          {ticked} of {items}
          <span className="sr-only"> ticked</span>
        </span>
      )}
      {read && (
        <span className="text-done">
          <Icon name="check" className="size-3" />
          <span className="sr-only">, read</span>
        </span>
      )}
    </>
  )
}
