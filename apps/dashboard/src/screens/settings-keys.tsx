import { useId, useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { CreatedKey, Key, Role } from '@orchestrator/contract'

import { keysQuery, workspacesQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { serverNow } from '../api/server-clock.ts'
import { Button } from '../components/button.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Modal } from '../components/modal.tsx'
import { LoadFailure, LoadingRows, Notice } from '../components/notice.tsx'
import { Badge } from '../components/status.tsx'
import { formatDay } from '../components/time.tsx'

const ROLES: Record<Role, string> = {
  viewer: 'sees everything, decides nothing',
  submitter: 'starts workflows, and cancels or retries their own',
  reviewer: 'reads, comments and decides',
  hub: 'a machine that reports what agents did',
  admin: 'may do everything, keys too',
}
const ROLE_ORDER = ['reviewer', 'submitter', 'viewer', 'hub', 'admin'] as const satisfies readonly Role[]

const DAY_MS = 24 * 60 * 60 * 1000
const LIFETIMES = [
  { label: '30 days', days: 30 },
  { label: '90 days', days: 90 },
  { label: 'a year', days: 365 },
  { label: 'until revoked', days: 0 },
] as const

/** Who may ask this service, and for what: made here, shown once, revoked at once. */
export function Keys() {
  const keys = useQuery(keysQuery())
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<CreatedKey | null>(null)
  if (keys.isPending) return <LoadingRows rows={2} label="Loading keys" />
  if (keys.isError) return <LoadFailure what="The keys" error={keys.error} retry={() => void keys.refetch()} />
  const sorted = keys.data.toSorted((one, other) => Number(isOver(one)) - Number(isOver(other)))
  return (
    <>
      {made !== null && <MadeKey made={made} onDone={() => setMade(null)} />}
      {sorted.length > 0 && (
        <ul className="card divide-y divide-line">
          {sorted.map((key) => (
            <KeyRow key={key.id} of={key} />
          ))}
        </ul>
      )}
      {sorted.length === 0 && <p className="text-soft">No keys yet: on this machine nobody needs one.</p>}
      <Button icon="plus" className="mt-3" onClick={() => setCreating(true)}>
        New key
      </Button>
      {creating && (
        <NewKey
          onClose={() => setCreating(false)}
          onMade={(key) => {
            setCreating(false)
            setMade(key)
          }}
        />
      )}
    </>
  )
}

const isExpired = ({ expires_at }: Key): boolean => expires_at !== null && Date.parse(expires_at) <= serverNow()
const isOver = (key: Key): boolean => key.revoked_at !== null || isExpired(key)

function KeyRow({ of: key }: { of: Key }) {
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => request<Key>(`/keys/${key.id}/revoke`, { method: 'POST' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }),
    onSettled: () => setAsking(false),
  })
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1.5 p-4">
      <span className="min-w-0 flex-[1_1_14rem]">
        <span className="font-medium">{key.name}</span> <code className="font-mono text-xs text-faint">{key.id}</code>
        <span className="block text-sm text-soft">
          {key.role}: {ROLES[key.role]}
          {key.workspaces !== null && `, only in ${key.workspaces.join(', ')}`}
        </span>
      </span>
      <span className="text-sm text-soft">
        {key.revoked_at !== null
          ? `revoked ${formatDay(key.revoked_at)}`
          : key.expires_at === null
            ? 'until revoked'
            : `${isExpired(key) ? 'expired' : 'until'} ${formatDay(key.expires_at)}`}
      </span>
      {key.revoked_at !== null ? (
        <Badge word="Revoked" icon="cross" tone="queued" />
      ) : isExpired(key) ? (
        <Badge word="Expired" icon="queued" tone="queued" />
      ) : (
        <Button look="danger-quiet" busy={revoke.isPending} onClick={() => setAsking(true)}>
          Revoke…
        </Button>
      )}
      {revoke.error !== null && (
        <p role="alert" className="w-full text-failed">
          {revoke.error.message}
        </p>
      )}
      {asking && (
        <Modal
          title={`Revoke the key of ${key.name}?`}
          onClose={() => setAsking(false)}
          footer={
            <>
              <Button look="quiet" onClick={() => setAsking(false)}>
                Back
              </Button>
              <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
                Revoke
              </Button>
            </>
          }
        >
          <p>It opens nothing from now on, and what it holds open ends within a second. This cannot be undone.</p>
        </Modal>
      )}
    </li>
  )
}

function MadeKey({ made, onDone }: { made: CreatedKey; onDone: () => void }) {
  return (
    <div className="mb-3" role="status">
      <Notice
        tone="done"
        icon="key"
        title={`The key of ${made.name}`}
        action={
          <Button look="quiet" onClick={onDone}>
            Done
          </Button>
        }
      >
        <p>Copy it now: it is shown this once and kept by nobody.</p>
        <div className="mt-2 flex items-center gap-2 rounded-lg bg-surface py-0.5 pr-0.5 pl-3">
          <code className="min-w-0 flex-1 py-1 font-mono text-sm [overflow-wrap:anywhere]">{made.key}</code>
          <CopyButton text={made.key} label="Copy the key" />
        </div>
      </Notice>
    </div>
  )
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: CreatedKey) => void }) {
  const client = useQueryClient()
  const id = useId()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('reviewer')
  const workspaces = useQuery(workspacesQuery())
  const [only, setOnly] = useState<readonly string[]>([])
  const [days, setDays] = useState<number>(LIFETIMES[1].days)
  const create = useMutation({
    mutationFn: () =>
      request<CreatedKey>('/keys', {
        method: 'POST',
        body: {
          name: name.trim(),
          role,
          ...(only.length > 0 && { workspaces: only }),
          ...(days > 0 && { expires_at: new Date(serverNow() + days * DAY_MS).toISOString() }),
        },
      }),
    onSuccess: (key) => {
      onMade(key)
      return client.invalidateQueries({ queryKey: ['keys'] })
    },
  })
  return (
    <Modal
      title="New key"
      onClose={onClose}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Back
          </Button>
          <Button
            look="primary"
            busy={create.isPending}
            disabled={name.trim() === '' || create.isPending}
            onClick={() => create.mutate()}
          >
            Make the key
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() !== '') create.mutate()
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
                {each} <span className="text-soft">{ROLES[each]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {workspaces.data !== undefined && workspaces.data.length > 1 && (
          <fieldset>
            <legend className="mb-1 font-medium">Only for these workspaces</legend>
            {workspaces.data.map(({ name: workspace }) => (
              <label key={workspace} className="flex min-h-7 items-start gap-2 py-0.5">
                <input
                  type="checkbox"
                  checked={only.includes(workspace)}
                  onChange={({ target }) =>
                    setOnly(target.checked ? [...only, workspace] : only.filter((one) => one !== workspace))
                  }
                  className="mt-1"
                />
                {workspace}
              </label>
            ))}
            <p className="text-sm text-soft">None ticked: all of them, those to come included.</p>
          </fieldset>
        )}
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
