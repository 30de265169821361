import { Icon, type IconName } from '../components/icon.tsx'

export type View = 'document' | 'activity' | 'history'

const VIEWS: readonly { view: View; label: string; icon: IconName }[] = [
  { view: 'document', label: 'Document', icon: 'file' },
  { view: 'activity', label: 'Activity', icon: 'tool' },
  { view: 'history', label: 'History', icon: 'list' },
]

/** What to look at of the chosen attempt. Arrow keys move between the tabs (ARIA tabs pattern). */
export function ViewTabs({ view, onChoose }: { view: View; onChoose: (view: View) => void }) {
  return (
    <div
      role="tablist"
      aria-label="Views"
      className="-mb-px flex gap-1"
      onKeyDown={(event) => {
        const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
        if (by === 0) return
        const next = VIEWS.at((VIEWS.findIndex((each) => each.view === view) + by) % VIEWS.length)
        if (next === undefined) return
        onChoose(next.view)
        event.currentTarget.querySelector<HTMLElement>(`[data-view=${next.view}]`)?.focus()
      }}
    >
      {VIEWS.map((each) => (
        <button
          key={each.view}
          type="button"
          role="tab"
          data-view={each.view}
          aria-selected={each.view === view}
          tabIndex={each.view === view ? 0 : -1}
          onClick={() => onChoose(each.view)}
          className="inline-flex min-h-9 items-center gap-1.5 border-b-2 border-transparent px-2.5 text-soft hover:text-ink aria-selected:border-accent aria-selected:font-medium aria-selected:text-ink"
        >
          <Icon name={each.icon} className="max-sm:hidden" />
          {each.label}
        </button>
      ))}
    </div>
  )
}
