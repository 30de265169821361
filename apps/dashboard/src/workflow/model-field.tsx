import { useId } from 'react'
import { useQuery } from '@tanstack/react-query'

import { agentsQuery } from '../api/queries.ts'

/** `agent` is the chosen one; empty stands for that of the settings. */
export function ModelField({
  value,
  agent,
  onChange,
}: {
  value: string
  agent: string
  onChange: (model: string) => void
}) {
  const { data } = useQuery(agentsQuery())
  const id = useId()
  const chosen = data?.items.find(({ name }) => name === (agent === '' ? data.default : agent))
  const takes_none = chosen?.takes_model === false
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        Model
      </label>
      <input
        id={id}
        value={value}
        maxLength={200}
        spellCheck={false}
        autoComplete="off"
        placeholder="As set up"
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.target.value)}
        className="field"
      />
      <p id={`${id}-hint`} className="text-sm text-soft">
        {takes_none
          ? `${chosen.title} has no model to choose: leave this empty.`
          : 'By the name that the agent’s provider gives it. Left empty, it is that of the settings, or the agent’s own.'}
      </p>
    </div>
  )
}
