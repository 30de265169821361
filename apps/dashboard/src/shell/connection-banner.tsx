import { useLive } from '../api/live.ts'
import { Icon } from '../components/icon.tsx'

/** Says that what is shown may be old; goes by itself when the stream is back. */
export function ConnectionBanner() {
  const { connected } = useLive()
  return (
    <div role="status" className="sticky top-[3.125rem] z-20 lg:top-0">
      {!connected && (
        <p className="flex items-center justify-center gap-2 bg-waiting-soft px-4 py-1.5 text-waiting">
          <Icon name="running" className="spin" />
          Connection lost. What you see may be old; trying again.
        </p>
      )}
    </div>
  )
}
