import { Icon } from '../components/icon.tsx'

interface AssumptionsProps {
  assumptions: readonly { text: string; line: number }[]
  /** Leads to a line of the document on screen. */
  onShow: (line: number) => void
}

/** What the document takes for granted: read before the text, for nothing else says so when one is wrong. */
export function Assumptions({ assumptions, onShow }: AssumptionsProps) {
  if (assumptions.length === 0) return null
  return (
    <section className="card px-3.5 py-2">
      <details className="group">
        <summary className="flex min-h-6 items-center gap-2">
          <Icon name="question" className="size-3.5 text-faint" />
          <span className="font-medium">
            {assumptions.length === 1 ? '1 assumption' : `${assumptions.length} assumptions`}
          </span>
          <Icon name="chevron" className="ml-auto size-3.5 text-faint transition-transform group-open:rotate-90" />
        </summary>
        <ul className="mt-1.5 flex flex-col gap-1.5 pb-1">
          {assumptions.map(({ text, line }) => (
            <li key={line} className="flex items-start gap-2 text-sm">
              <span className="min-w-0 flex-1">{text}</span>
              <button
                type="button"
                onClick={() => onShow(line)}
                className="min-h-6 min-w-6 shrink-0 font-mono text-xs text-accent underline underline-offset-2"
              >
                :{line}
                <span className="sr-only">, show it in the text</span>
              </button>
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}
