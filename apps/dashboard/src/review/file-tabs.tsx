import { Icon } from '../components/icon.tsx'
import { shortPath, type ReviewFile } from './artifact-order.ts'

const MOST_TABS = 5

interface FileTabsProps {
  files: ReviewFile[]
  current: string
  /** Whether there is an attempt before this one, so that `new` and `changed` tell something. */
  compared: boolean
  /** Digests of what was read. */
  viewed: ReadonlySet<string>
  onChoose: (path: string) => void
}

/** One tab per file, or a list to choose from when there are many. */
export function FileTabs({ files, current, compared, viewed, onChoose }: FileTabsProps) {
  if (files.length > MOST_TABS)
    return (
      <label className="flex min-w-0 items-center gap-2">
        <Icon name="file" className="text-faint" />
        <span className="sr-only">File</span>
        <select
          value={current}
          onChange={(event) => onChoose(event.target.value)}
          className="field w-auto min-w-0 max-w-72 py-1 font-mono text-sm"
        >
          {files.map(({ path, change, digest }) => (
            <option key={path} value={path}>
              {viewed.has(digest) ? '✓ ' : ''}
              {shortPath(path)}
              {compared && change !== 'same' ? ` (${change})` : ''}
            </option>
          ))}
        </select>
        <span className="text-sm whitespace-nowrap text-soft tabular-nums">
          {files.filter(({ digest }) => viewed.has(digest)).length} of {files.length} viewed
        </span>
      </label>
    )
  return (
    <div role="group" aria-label="Files" className="flex flex-wrap gap-0.5">
      {files.map(({ path, change, digest }) => (
        <button
          key={path}
          type="button"
          aria-pressed={path === current}
          title={path}
          onClick={() => onChoose(path)}
          className="min-h-7 rounded-md px-2 font-mono text-sm text-soft hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:text-accent"
        >
          {shortPath(path)}
          {viewed.has(digest) && <Icon name="check" className="ml-1 inline size-3 text-done" />}
          {compared && change !== 'same' && (
            <span className={`ml-1.5 font-sans text-xs ${change === 'deleted' ? 'text-failed' : 'text-done'}`}>
              {change}
            </span>
          )}
        </button>
      ))}
    </div>
  )
}
