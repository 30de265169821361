import type { OutlineItem } from './document-blocks.ts'

/** The headings of the document, to jump to. */
export function Outline({ items }: { items: OutlineItem[] }) {
  const shown = items.filter(({ level }) => level > 1)
  if (shown.length < 3) return null
  return (
    <nav aria-label="Outline" className="hidden lg:sticky lg:top-4 lg:block">
      <h2 className="mb-1 px-2 text-sm font-semibold text-soft">Outline</h2>
      <ul className="flex max-h-[60dvh] flex-col overflow-y-auto text-sm">
        {shown.map((item, index) => (
          // Two headings of a document may have the same words.
          <li key={index}>
            <button
              type="button"
              onClick={() => {
                item.element.scrollIntoView({ block: 'start' })
                item.element.focus({ preventScroll: true })
              }}
              className={`min-h-6 w-full truncate rounded-md py-0.5 pr-2 text-left hover:bg-hover hover:text-ink ${item.level === 2 ? 'pl-2 text-soft' : 'pl-5 text-faint'}`}
            >
              {item.text}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  )
}
