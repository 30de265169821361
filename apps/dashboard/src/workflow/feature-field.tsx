import { useId } from 'react'
import { useInfiniteQuery } from '@tanstack/react-query'

import { featuresQuery } from '../api/queries.ts'
import { headline } from './words.ts'

/** A new feature, or one of those that exist. Hidden while there is none. */
export function FeatureField({ value, onChange }: { value: string; onChange: (feature_id: string) => void }) {
  const features = useInfiniteQuery(featuresQuery())
  const id = useId()
  const items = features.data?.pages.flatMap((page) => page.items) ?? []
  if (items.length === 0 && value === '') return null
  const listed = items.some((feature) => feature.id === value)
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium">
        Feature
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)} className="field">
        <option value="">A new feature</option>
        {!listed && value !== '' && <option value={value}>Continue {value}</option>}
        {items.map((feature) => (
          <option key={feature.id} value={feature.id}>
            Continue {feature.id.slice(0, 3)}: {headline(feature.description)}
          </option>
        ))}
      </select>
    </div>
  )
}
