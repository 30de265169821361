import { useEffect, useState } from 'react'
import { useIsFetching } from '@tanstack/react-query'

import { useLive } from '../api/live.ts'
import { Button } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { useNewerPage } from './newer-page.ts'

/** An answer that takes longer is worth a word. */
const SLOW_MS = 3_000

/** Says that what is shown may be old, or is to be loaded anew; goes by itself when all is well again. */
export function ConnectionBanner() {
  const { connected } = useLive()
  const newer = useNewerPage()
  const slow = useSlowAnswers()
  return (
    <div role="status" className="sticky top-[3.125rem] z-20 lg:top-0">
      {!connected ? (
        <p className="flex items-center justify-center gap-2 bg-waiting-soft px-4 py-1.5 text-waiting">
          <Icon name="running" className="spin" />
          Connection lost. What you see may be old; trying again.
        </p>
      ) : newer ? (
        <p className="flex flex-wrap items-center justify-center gap-x-3 gap-y-1 bg-running-soft px-4 py-1.5 text-running">
          The server has a newer version of this page. What you wrote is kept.
          <Button className="min-h-7 px-2.5" onClick={() => window.location.reload()}>
            Reload
          </Button>
        </p>
      ) : (
        slow && (
          <p className="flex items-center justify-center gap-2 bg-sunken px-4 py-1.5 text-soft">
            <Icon name="running" className="spin" />
            The server is slow to answer. Still waiting.
          </p>
        )
      )}
    </div>
  )
}

function useSlowAnswers(): boolean {
  const waiting = useIsFetching() > 0
  const [slow, setSlow] = useState(false)
  useEffect(() => {
    if (!waiting) return
    const timer = setTimeout(() => setSlow(true), SLOW_MS)
    return () => {
      clearTimeout(timer)
      setSlow(false)
    }
  }, [waiting])
  return slow
}
