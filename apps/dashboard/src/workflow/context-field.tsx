import { Button, IconButton } from '../components/button.tsx'
import type { ContextPair } from './workflow-form.ts'

/** Names and values that the agent should know, such as priority P1. */
export function ContextField({ value, onChange }: { value: ContextPair[]; onChange: (pairs: ContextPair[]) => void }) {
  const change = (at: number, part: Partial<ContextPair>) =>
    onChange(value.map((pair, index) => (index === at ? { ...pair, ...part } : pair)))
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1.5 font-medium">
        Context <span className="font-normal text-soft">for the agent, such as priority: P1</span>
      </legend>
      {value.map((pair, index) => (
        // The rows have no identity of their own, and are changed in place only.
        <div key={index} className="grid grid-cols-[minmax(0,1fr)_minmax(0,2fr)_auto] gap-2">
          <input
            aria-label={`Name ${index + 1}`}
            placeholder="priority"
            value={pair.name}
            onChange={(event) => change(index, { name: event.target.value })}
            className="field"
          />
          <input
            aria-label={`Value ${index + 1}`}
            placeholder="P1"
            value={pair.value}
            onChange={(event) => change(index, { value: event.target.value })}
            className="field"
          />
          <IconButton
            icon="cross"
            label={`Remove ${pair.name === '' ? `row ${index + 1}` : pair.name}`}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <div>
        <Button look="quiet" icon="plus" onClick={() => onChange([...value, { name: '', value: '' }])}>
          Add
        </Button>
      </div>
    </fieldset>
  )
}
