import type { Artifact } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { shortPath } from './artifact-order.ts'

const MOST_TABS = 6

/** One tab per file, or a list to choose from when there are many. */
export function FileTabs({
  artifacts,
  current,
  onChoose,
}: {
  artifacts: Artifact[]
  current: string
  onChoose: (path: string) => void
}) {
  if (artifacts.length > MOST_TABS)
    return (
      <label className="flex min-w-0 items-center gap-2">
        <Icon name="file" className="text-faint" />
        <span className="sr-only">File</span>
        <select
          value={current}
          onChange={(event) => onChoose(event.target.value)}
          className="field w-auto max-w-full py-1 font-mono text-sm"
        >
          {artifacts.map(({ path }) => (
            <option key={path} value={path}>
              {shortPath(path)}
            </option>
          ))}
        </select>
      </label>
    )
  return (
    <div role="group" aria-label="Files" className="flex flex-wrap gap-0.5">
      {artifacts.map(({ path }) => (
        <button
          key={path}
          type="button"
          aria-pressed={path === current}
          title={path}
          onClick={() => onChoose(path)}
          className="min-h-7 rounded-md px-2 font-mono text-sm text-soft hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:text-accent"
        >
          {shortPath(path)}
        </button>
      ))}
    </div>
  )
}
