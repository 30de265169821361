import { useQuery } from '@tanstack/react-query'

import { diffQuery } from '../api/queries.ts'
import { Icon } from '../components/icon.tsx'
import { weakenedIn } from './weakened.ts'

interface WeakenedRequirementsProps {
  /** Digests of the version before and of the one on screen. */
  base: string
  digest: string
  /** Said of the version before: `attempt 1`. */
  since: string
  onShow: (line: number) => void
}

/** Requirements that lost force in the rework: easily read over, and seldom what was asked for. */
export function WeakenedRequirements({ base, digest, since, onShow }: WeakenedRequirementsProps) {
  const diff = useQuery(diffQuery(base, digest, 'lines')).data
  const weakened = weakenedIn(diff?.hunks ?? [])
  if (weakened.length === 0) return null
  return (
    <section className="card p-3.5">
      <h2 className="flex items-baseline justify-between gap-2 font-semibold">
        Weaker than before
        <span className="text-sm font-normal text-soft">since {since}</span>
      </h2>
      <ul className="mt-1.5 flex flex-col gap-1.5 text-sm">
        {weakened.map(({ id, before, after, line }) => (
          <li key={id} className="flex items-baseline gap-2">
            <Icon name="warning" className="size-3.5 self-center text-waiting" />
            <button
              type="button"
              onClick={() => onShow(line)}
              className="min-h-6 font-mono text-xs leading-5 text-accent underline underline-offset-2"
            >
              {id}
            </button>
            <span className="min-w-0">{after === null ? `${before}, and now it is gone` : `${before} → ${after}`}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
