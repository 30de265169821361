import { useId, useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { Queue } from '@orchestrator/contract'

import { queueQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { Button } from '../components/button.tsx'
import { LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Badge } from '../components/status.tsx'
import { Ago } from '../components/time.tsx'
import { actorName } from '../workflow/words.ts'

/** Whether work is handed out; who may, holds it back and lets it go on. */
export function QueueControl({ manages }: { manages: boolean }) {
  const client = useQueryClient()
  const queue = useQuery(queueQuery())
  const [reason, setReason] = useState('')
  const reason_id = useId()
  const change = useMutation({
    mutationFn: (deed: 'pause' | 'resume') =>
      request<Queue>(`/queue/${deed}`, {
        method: 'POST',
        ...(deed === 'pause' && reason.trim() !== '' && { body: { reason: reason.trim() } }),
      }),
    onSuccess: (after) => {
      setReason('')
      client.setQueryData(queueQuery().queryKey, after)
    },
  })
  if (queue.isPending) return <LoadingRows rows={1} label="Loading the queue" />
  if (queue.isError) return <LoadFailure what="The queue" error={queue.error} retry={() => void queue.refetch()} />
  const { state, paused_at, paused_by, waiting, at_work, slots } = queue.data
  const paused = state === 'paused'
  return (
    <div className="card flex flex-wrap items-center gap-x-4 gap-y-3 p-4">
      <div className="min-w-0 flex-[1_1_16rem]">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {paused ? (
            <Badge word="Paused" icon="stop" tone="waiting" />
          ) : (
            <Badge word="Handing out work" icon="check" tone="done" />
          )}
          <span className="text-soft tabular-nums">
            {at_work} of {slots} at work, {waiting} waiting
          </span>
        </p>
        {paused && (
          <p className="mt-1 text-soft">
            Paused{paused_by !== null && ` by ${actorName(paused_by)}`}
            {paused_at !== null && (
              <>
                {' '}
                <Ago at={paused_at} />
              </>
            )}
            {queue.data.reason !== null && `: ${queue.data.reason}`}. What runs goes on.
          </p>
        )}
      </div>
      {manages &&
        (paused ? (
          <Button look="primary" busy={change.isPending} onClick={() => change.mutate('resume')}>
            Resume
          </Button>
        ) : (
          <form
            className="flex flex-wrap items-center gap-2"
            onSubmit={(event) => {
              event.preventDefault()
              change.mutate('pause')
            }}
          >
            <label htmlFor={reason_id} className="sr-only">
              Why is it paused?
            </label>
            <input
              id={reason_id}
              value={reason}
              maxLength={2000}
              placeholder="Why (optional)"
              onChange={(event) => setReason(event.target.value)}
              className="field w-44"
            />
            <Button type="submit" busy={change.isPending}>
              Pause
            </Button>
          </form>
        ))}
      {change.error !== null && (
        <p role="alert" className="w-full text-failed">
          {change.error.message}
        </p>
      )}
    </div>
  )
}
