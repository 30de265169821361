import type { Checklist } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { shortPath } from './artifact-order.ts'
import { TickedBy } from './ticked-by.tsx'
import type { Checklists } from './use-checklists.ts'

interface ChecklistCardsProps {
  checklists: Checklists
  onShow: (path: string, line: number | null) => void
}

/** The checklists beside the text, each with what is ticked. */
export function ChecklistCards({ checklists, onShow }: ChecklistCardsProps) {
  const { lists, tick, error } = checklists
  return (
    <>
      {lists.map((checklist) => (
        <ChecklistCard key={checklist.path} checklist={checklist} tick={tick} onShow={onShow} />
      ))}
      {error !== null && (
        <p role="alert" className="text-sm text-failed">
          {error.message}
        </p>
      )}
    </>
  )
}

interface CardProps extends Pick<ChecklistCardsProps, 'onShow'> {
  checklist: Checklist
  tick: Checklists['tick']
}

function ChecklistCard({ checklist, tick, onShow }: CardProps) {
  const { path, items } = checklist
  const ticked = items.filter((item) => item.ticked).length
  return (
    <section className="card px-3.5 py-2">
      <details className="group">
        <summary className="flex min-h-6 items-center gap-2">
          <Icon
            name={ticked === items.length ? 'check' : 'list'}
            className={`size-3.5 ${ticked === items.length ? 'text-done' : 'text-faint'}`}
          />
          <span className="min-w-0 truncate font-medium">{shortPath(path).replace(/^checklists\//, '')}</span>
          <span className="ml-auto text-sm whitespace-nowrap text-soft tabular-nums">
            {ticked} of {items.length} ticked
          </span>
          <Icon name="chevron" className="size-3.5 text-faint transition-transform group-open:rotate-90" />
        </summary>
        <ul className="mt-1.5 flex flex-col gap-1.5 pb-1">
          {items.map((item) => (
            <li key={item.id} className="flex items-start gap-2 text-sm">
              <label className="flex min-h-6 min-w-0 flex-1 items-start gap-2">
                <input
                  type="checkbox"
                  checked={item.ticked}
                  disabled={tick === null}
                  onChange={(event) => tick?.(item.id, event.target.checked)}
                  className="mt-0.75 size-4 shrink-0"
                />
                <span className="min-w-0">
                  {item.text} <TickedBy item={item} />
                </span>
              </label>
              <button
                type="button"
                onClick={() => onShow(path, item.line)}
                className="min-h-6 min-w-6 shrink-0 font-mono text-xs text-accent underline underline-offset-2"
              >
                :{item.line}
                <span className="sr-only">, show {item.label} in the text</span>
              </button>
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}
