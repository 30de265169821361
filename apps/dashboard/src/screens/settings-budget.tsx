import { useId, useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { Budget } from '@orchestrator/contract'

import { budgetsQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { Button } from '../components/button.tsx'
import { LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Badge } from '../components/status.tsx'

const dollars = (usd: number) => usd.toLocaleString('en', { style: 'currency', currency: 'USD' })
const FEATURE = 'feature:'
const featureOf = ({ name }: Budget) => (name.startsWith(FEATURE) ? name.slice(FEATURE.length) : undefined)

/** What agents cost, and what they may: today's, and features that have used most of theirs. Who may, lifts it. */
export function Budgets({ manages }: { manages: boolean }) {
  const budgets = useQuery(budgetsQuery())
  if (budgets.isPending) return <LoadingRows rows={1} label="Loading budgets" />
  if (budgets.isError) return <LoadFailure what="Budgets" error={budgets.error} retry={() => void budgets.refetch()} />
  const { today, items } = budgets.data
  return (
    <ul className="card divide-y divide-line">
      {[today, ...items].map((budget) => (
        <BudgetRow key={budget.name} of={budget} manages={manages} />
      ))}
    </ul>
  )
}

function BudgetRow({ of: budget, manages }: { of: Budget; manages: boolean }) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const reason_id = useId()
  const feature_id = featureOf(budget)
  const lift = useMutation({
    mutationFn: () =>
      request<Budget>('/budgets/lift', {
        method: 'POST',
        body: { reason: reason.trim(), ...(feature_id !== undefined && { feature_id }) },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: budgetsQuery().queryKey }),
  })
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 p-4">
      <div className="min-w-0 flex-[1_1_16rem]">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <span className="font-medium">{feature_id ?? 'Today'}</span>
          <span className="text-soft tabular-nums">
            {dollars(budget.spent_usd)} of {budget.limit_usd === null ? 'no limit' : dollars(budget.limit_usd)}
          </span>
          {budget.state === 'paused' && <Badge word="Paused" icon="stop" tone="waiting" />}
          {budget.state === 'warning' && <Badge word="Nearly spent" icon="warning" tone="waiting" />}
        </p>
        {budget.state === 'paused' && <p className="mt-1 text-soft">What runs goes on, and no further phase begins.</p>}
        {budget.lifted_by !== null && (
          <p className="mt-1 text-soft">
            Lifted by {budget.lifted_by}: {budget.reason}
          </p>
        )}
      </div>
      {manages && budget.state !== 'free' && (
        <form
          className="flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault()
            lift.mutate()
          }}
        >
          <label htmlFor={reason_id} className="sr-only">
            Why is it lifted?
          </label>
          <input
            id={reason_id}
            value={reason}
            maxLength={2000}
            placeholder="Why"
            onChange={(event) => setReason(event.target.value)}
            className="field w-44"
          />
          <Button type="submit" busy={lift.isPending} disabled={reason.trim() === '' || lift.isPending}>
            Lift
          </Button>
        </form>
      )}
      {lift.error !== null && (
        <p role="alert" className="w-full text-failed">
          {lift.error.message}
        </p>
      )}
    </li>
  )
}
