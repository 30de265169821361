import { useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { CreatedKey, Key } from '@orchestrator/contract'

import { keysQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { serverNow } from '../api/server-clock.ts'
import { Button } from '../components/button.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { Modal } from '../components/modal.tsx'
import { LoadFailure, LoadingRows, Notice } from '../components/notice.tsx'
import { Badge } from '../components/status.tsx'
import { formatDay } from '../components/time.tsx'
import { purposeOf } from './key-words.ts'
import { NewKey } from './settings-new-key.tsx'

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
          <Purpose of={key} />
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

/** What a key is for, and where. */
function Purpose({ of: { role, workspaces } }: { of: Key }) {
  return (
    <>
      {role}: {purposeOf(role, workspaces !== null)}
      {workspaces !== null && (
        <span className="block [overflow-wrap:anywhere]">
          only in <span className="font-medium text-ink">{workspaces.join(', ')}</span>
        </span>
      )}
    </>
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
        <p className="text-soft">
          <Purpose of={made} />
        </p>
        <p>Copy it now: it is shown this once and kept by nobody.</p>
        <div className="mt-2 flex items-center gap-2 rounded-lg bg-surface py-0.5 pr-0.5 pl-3">
          <code className="min-w-0 flex-1 py-1 font-mono text-sm [overflow-wrap:anywhere]">{made.key}</code>
          <CopyButton text={made.key} label="Copy the key" />
        </div>
      </Notice>
    </div>
  )
}
