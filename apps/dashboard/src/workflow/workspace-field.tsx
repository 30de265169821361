import { useId } from 'react'
import { useQuery } from '@tanstack/react-query'

import { workspacesQuery } from '../api/queries.ts'

/** The repository that a new feature belongs to; nothing to choose where there is but one. */
export function WorkspaceField({ value, onChange }: { value: string; onChange: (workspace: string) => void }) {
  const { data } = useQuery(workspacesQuery())
  const id = useId()
  if (data === undefined || data.length < 2) return null
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        Workspace
      </label>
      <select
        id={id}
        value={value === '' ? data.find((item) => item.default)?.name : value}
        onChange={(event) => onChange(event.target.value)}
        className="field"
      >
        {data.map(({ name, location }) => (
          <option key={name} value={name}>
            {name} ({location})
          </option>
        ))}
      </select>
    </div>
  )
}
