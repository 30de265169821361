import { useId, useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { CreatedKey, Role } from '@orchestrator/contract'

import { workspacesQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { serverNow } from '../api/server-clock.ts'
import { Button } from '../components/button.tsx'
import { Modal } from '../components/modal.tsx'
import { LoadFailure, LoadingRows } from '../components/notice.tsx'
import { purposeOf } from './key-words.ts'

const ROLE_ORDER = ['reviewer', 'submitter', 'viewer', 'hub', 'admin'] as const satisfies readonly Role[]

const DAY_MS = 24 * 60 * 60 * 1000
const LIFETIMES = [
  { label: '30 days', days: 30 },
  { label: '90 days', days: 90 },
  { label: 'a year', days: 365 },
  { label: 'until revoked', days: 0 },
] as const

/** The dialog that makes a key. `only` is null while it is to be for all workspaces. */
export function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: CreatedKey) => void }) {
  const client = useQueryClient()
  const id = useId()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('reviewer')
  const [only, setOnly] = useState<readonly string[] | null>(null)
  const [days, setDays] = useState<number>(LIFETIMES[1].days)
  // Until they are there, nobody could have chosen.
  const is_asking = useQuery(workspacesQuery()).isPending
  const create = useMutation({
    mutationFn: () =>
      request<CreatedKey>('/keys', {
        method: 'POST',
        body: {
          name: name.trim(),
          role,
          ...(only !== null && { workspaces: only }),
          ...(days > 0 && { expires_at: new Date(serverNow() + days * DAY_MS).toISOString() }),
        },
      }),
    onSuccess: (key) => {
      onMade(key)
      return client.invalidateQueries({ queryKey: ['keys'] })
    },
  })
  const is_ready = name.trim() !== '' && only?.length !== 0 && !is_asking && !create.isPending
  return (
    <Modal
      title="New key"
      onClose={onClose}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Back
          </Button>
          <Button look="primary" busy={create.isPending} disabled={!is_ready} onClick={() => create.mutate()}>
            Make the key
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (is_ready) create.mutate()
        }}
      >
        <div className="flex flex-col gap-1.5">
          <label htmlFor={`${id}-name`} className="font-medium">
            Whose is it?
          </label>
          <input
            id={`${id}-name`}
            value={name}
            maxLength={100}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
            className="field"
          />
          <p className="text-sm text-soft">The name stands in the history. One name is one person, or one machine.</p>
        </div>
        <fieldset>
          <legend className="mb-1 font-medium">What for?</legend>
          {ROLE_ORDER.map((each) => (
            <label key={each} className="flex min-h-7 items-start gap-2 py-0.5">
              <input
                type="radio"
                name={`${id}-role`}
                checked={role === each}
                onChange={() => setRole(each)}
                className="mt-1"
              />
              <span>
                {each} <span className="text-soft">{purposeOf(each, only !== null)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Where only={only} onChange={setOnly} />
        <div className="flex flex-col gap-1.5">
          <label htmlFor={`${id}-days`} className="font-medium">
            How long?
          </label>
          <select
            id={`${id}-days`}
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
            className="field w-auto self-start"
          >
            {LIFETIMES.map((lifetime) => (
              <option key={lifetime.days} value={lifetime.days}>
                {lifetime.label}
              </option>
            ))}
          </select>
        </div>
        {create.error !== null && (
          <p role="alert" className="text-failed">
            {create.error.message}
          </p>
        )}
      </form>
    </Modal>
  )
}

type Only = readonly string[] | null

/** All workspaces, or those that are ticked; nothing to choose where there is but one. */
function Where({ only, onChange }: { only: Only; onChange: (next: (before: Only) => Only) => void }) {
  const workspaces = useQuery(workspacesQuery())
  const name = useId()
  if (workspaces.isPending) return <LoadingRows rows={1} label="Loading the workspaces" />
  if (workspaces.data === undefined)
    return (
      <div>
        <LoadFailure what="The workspaces" error={workspaces.error} retry={() => void workspaces.refetch()} />
        <p className="mt-1 text-sm text-soft">A key made now is for all of them.</p>
      </div>
    )
  if (workspaces.data.length < 2) return null
  const tick = (workspace: string, is_ticked: boolean) =>
    onChange((before) => [...(before ?? []).filter((other) => other !== workspace), ...(is_ticked ? [workspace] : [])])
  return (
    <fieldset>
      <legend className="mb-1 font-medium">Where?</legend>
      <label className="flex min-h-7 items-start gap-2 py-0.5">
        <input
          type="radio"
          name={name}
          checked={only === null}
          onChange={() => onChange(() => null)}
          className="mt-1"
        />
        <span>
          in all workspaces <span className="text-soft">those to come included</span>
        </span>
      </label>
      <label className="flex min-h-7 items-start gap-2 py-0.5">
        <input
          type="radio"
          name={name}
          checked={only !== null}
          onChange={() => onChange((before) => before ?? [])}
          className="mt-1"
        />
        only in some
      </label>
      {only !== null && (
        <div className="mt-1 ml-5">
          <div
            role="group"
            aria-label="Workspaces"
            className="max-h-52 overflow-y-auto rounded-lg border border-line bg-surface px-3 py-1.5"
          >
            {workspaces.data.map(({ name: workspace, location }) => (
              <label key={workspace} className="flex min-h-7 items-start gap-2 py-1">
                <input
                  type="checkbox"
                  checked={only.includes(workspace)}
                  onChange={({ target }) => tick(workspace, target.checked)}
                  className="mt-1"
                />
                <span className="min-w-0">
                  {workspace} <span className="text-sm [overflow-wrap:anywhere] text-soft">{location}</span>
                </span>
              </label>
            ))}
          </div>
          {only.length === 0 && <p className="mt-1 text-sm text-soft">Tick at least one.</p>}
        </div>
      )}
    </fieldset>
  )
}
