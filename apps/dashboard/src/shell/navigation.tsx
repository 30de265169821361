import { Link } from '@tanstack/react-router'

import icon from '../assets/icon.svg'
import { Icon, type IconName } from '../components/icon.tsx'
import { IconButton, buttonClass } from '../components/button.tsx'
import { Keys } from '../components/keys.tsx'
import { HealthLine } from './health-line.tsx'
import { ThemeSwitch } from './theme-switch.tsx'
import { useWaitingCount } from './waiting-count.ts'

const PLACES = [
  { to: '/', label: 'Inbox', icon: 'inbox' },
  { to: '/workflows', label: 'Workflows', icon: 'list' },
  { to: '/features', label: 'Features', icon: 'feature' },
  { to: '/settings', label: 'Settings', icon: 'settings' },
] as const satisfies readonly { to: string; label: string; icon: IconName }[]

/** A column at the left where there is room, a bar at the top where there is not. */
export function Navigation({ onHelp }: { onHelp: () => void }) {
  const waiting = useWaitingCount()
  return (
    <header className="sticky top-0 z-30 flex items-center gap-1 border-b border-line bg-canvas px-3 py-1.5 lg:h-dvh lg:flex-col lg:items-stretch lg:gap-4 lg:border-r lg:border-b-0 lg:px-3 lg:py-4">
      <Link to="/" className="flex items-center gap-2 rounded-lg px-1 font-semibold tracking-tight lg:px-2">
        <img src={icon} alt="" width="22" height="22" />
        <span className="sr-only lg:not-sr-only">Orchestrator</span>
      </Link>
      <Link to="/new" className={`${buttonClass('primary')} order-last ml-auto px-2.5 lg:order-none lg:ml-0 lg:px-3`}>
        <Icon name="plus" />
        <span className="sr-only sm:not-sr-only">New workflow</span>
      </Link>
      <nav aria-label="Main" className="flex gap-0.5 lg:flex-col">
        {PLACES.map(({ to, label, icon }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === '/', includeSearch: false }}
            className="flex min-h-9 items-center gap-2.5 rounded-lg px-2 text-soft transition-colors hover:bg-hover hover:text-ink lg:min-h-8"
            activeProps={{ className: 'bg-accent-soft! text-accent! font-medium' }}
          >
            <Icon name={icon} />
            <span className="max-md:sr-only">{label}</span>
            {to === '/' && waiting !== undefined && (
              <span className="rounded-full bg-waiting-soft px-1.5 text-sm font-semibold text-waiting tabular-nums lg:ml-auto">
                {waiting}
                <span className="sr-only"> need review</span>
              </span>
            )}
          </Link>
        ))}
      </nav>
      <div className="mt-auto hidden flex-col gap-3 lg:flex">
        <HealthLine />
        <div className="flex items-center justify-between border-t border-line pt-3">
          <ThemeSwitch />
          <IconButton icon="keyboard" label="Keyboard shortcuts" onClick={onHelp} />
        </div>
        <p className="sr-only">
          Press <Keys keys="?" /> for the keyboard shortcuts.
        </p>
      </div>
    </header>
  )
}
