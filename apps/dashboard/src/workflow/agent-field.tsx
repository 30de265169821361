import { useId } from 'react'
import { useQuery } from '@tanstack/react-query'

import { agentsQuery } from '../api/queries.ts'

export function AgentField({ value, onChange }: { value: string; onChange: (agent: string) => void }) {
  const { data } = useQuery(agentsQuery())
  const id = useId()
  const standard = data?.items.find((agent) => agent.name === data.default)
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        Agent
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)} className="field">
        <option value="">As set up{standard === undefined ? '' : ` (${standard.title})`}</option>
        {data?.items.map((agent) => (
          <option key={agent.name} value={agent.name} disabled={!agent.available}>
            {agent.title}
            {agent.available ? '' : ', not installed'}
          </option>
        ))}
      </select>
    </div>
  )
}
