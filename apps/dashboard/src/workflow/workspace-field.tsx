import { useId } from 'react'

import { useWorkspace } from './use-workspace.ts'

/** The repository that a new feature belongs to; nothing to choose where there is but one. */
export function WorkspaceField({ value, onChange }: { value: string; onChange: (workspace: string) => void }) {
  const { all, chosen } = useWorkspace(value)
  const id = useId()
  if (all.length < 2) return null
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        Workspace
      </label>
      <select id={id} value={chosen?.name} onChange={(event) => onChange(event.target.value)} className="field">
        {all.map(({ name, location }) => (
          <option key={name} value={name}>
            {name} ({location})
          </option>
        ))}
      </select>
    </div>
  )
}
