import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Health } from '@orchestrator/contract'

import { useLive } from '../api/live.ts'
import { healthQuery } from '../api/queries.ts'
import { Icon, type IconName } from '../components/icon.tsx'
import { TONE_TEXT, type Tone } from '../components/status.tsx'

const WORDS: Record<Health['status'], { word: string; icon: IconName; tone: Tone }> = {
  healthy: { word: 'All systems working', icon: 'check', tone: 'done' },
  degraded: { word: 'Something needs attention', icon: 'warning', tone: 'waiting' },
  unhealthy: { word: 'Not working', icon: 'cross', tone: 'failed' },
}

const UNREACHABLE = { word: 'Not reachable', icon: 'cross', tone: 'failed' } as const

/** One line on how the service is; the settings say why. */
export function HealthLine() {
  const { data, isError } = useQuery(healthQuery())
  const { connected } = useLive()
  if (data === undefined && !isError) return null
  const { word, icon, tone } = isError || !connected || data === undefined ? UNREACHABLE : WORDS[data.status]
  return (
    <Link to="/settings" className="flex items-center gap-2 rounded-lg px-2 py-1 text-sm text-soft hover:text-ink">
      <Icon name={icon} className={TONE_TEXT[tone]} />
      {word}
    </Link>
  )
}
