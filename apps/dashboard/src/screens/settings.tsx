import { useId, useState, type ReactNode } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { HubAgent } from '@orchestrator/contract'

import { agentsQuery, healthQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { Button } from '../components/button.tsx'
import { CopyButton } from '../components/copy-button.tsx'
import { LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'
import { Badge } from '../components/status.tsx'
import { formatDuration } from '../components/time.tsx'
import { SHORTCUTS_OFF_KEY } from '../keyboard/shortcuts.ts'
import { useStored } from '../preferences/stored-value.ts'
import { canNotify, NOTIFICATIONS_KEY } from '../preferences/notifications.ts'
import { useSession } from '../api/session.ts'
import { actorName } from '../workflow/words.ts'
import { Budgets } from './settings-budget.tsx'
import { Keys } from './settings-keys.tsx'
import { QueueControl } from './settings-queue.tsx'
import { SIGNED_IN_KEY } from './sign-in.tsx'
import { ThemeSwitch } from '../shell/theme-switch.tsx'

/** Which agents there are and how to get others, how the service is, and how this browser shows it. */
export function Settings() {
  const session = useSession()
  const is_admin = session?.role === 'admin' || session?.role === 'local'
  // What is about all workspaces is not for a key of single ones.
  const is_whole = session?.workspaces === null
  return (
    <Page title="Settings">
      <Section
        title="Agents"
        lead="The programs that do the work. A real agent runs only when you name it: it costs money and it acts."
      >
        <Agents />
      </Section>
      <Section
        title="Queue"
        lead="Phases wait here for a free slot. Paused, what runs goes on and nothing more begins."
      >
        <QueueControl manages={is_admin && is_whole} />
      </Section>
      {is_whole && (
        <Section
          title="Budgets"
          lead="What agents cost, as far as they tell. Where a budget is spent, no further phase begins until it is lifted."
        >
          <Budgets manages={is_admin} />
        </Section>
      )}
      <Section title="Service">
        <ServiceHealth />
      </Section>
      {is_admin && is_whole && (
        <Section
          title="Keys"
          lead="Who is not at this machine shows a key. It carries a name and a role, and can be taken back at once."
        >
          <Keys />
        </Section>
      )}
      <Section title="This browser">
        <Preferences />
      </Section>
    </Page>
  )
}

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section className="mb-8">
      <h2 className="font-semibold">{title}</h2>
      {lead !== undefined && <p className="mb-1 max-w-prose text-soft">{lead}</p>}
      <div className="mt-2">{children}</div>
    </section>
  )
}

function Agents() {
  const agents = useQuery(agentsQuery())
  if (agents.isPending) return <LoadingRows rows={3} label="Loading agents" />
  if (agents.isError) return <LoadFailure what="The agents" error={agents.error} retry={() => void agents.refetch()} />
  const sorted = agents.data.items.toSorted((one, other) => Number(other.available) - Number(one.available))
  return (
    <>
      <ul className="card divide-y divide-line">
        {sorted.map((agent) => (
          <Agent key={agent.name} agent={agent} is_default={agent.name === agents.data.default} />
        ))}
      </ul>
      <p className="mt-3 text-soft">
        Name one for a single workflow when you create it, or for all of them when you start the service:
      </p>
      <Command text="AGENT_NAME=claude npm start" />
    </>
  )
}

function Agent({ agent, is_default }: { agent: HubAgent; is_default: boolean }) {
  return (
    <li className="p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{agent.title}</span>
        <code className="font-mono text-xs text-faint">{agent.name}</code>
        {agent.version !== null && <span className="text-sm text-soft">{agent.version}</span>}
        <span className="ml-auto flex gap-2">
          {is_default && <Badge word="Default" icon="spark" tone="running" />}
          {agent.available ? (
            <Badge word="Ready" icon="check" tone="done" />
          ) : (
            <Badge word="Not installed" icon="plus" tone="queued" />
          )}
        </span>
      </div>
      {agent.reason !== null && <p className="mt-1 text-soft">{agent.reason}</p>}
      {!agent.available && agent.install !== null && <Command text={agent.install} />}
    </li>
  )
}

function Command({ text }: { text: string }) {
  return (
    <div className="mt-2 flex items-center gap-2 rounded-lg bg-sunken py-0.5 pr-0.5 pl-3">
      <code className="min-w-0 flex-1 py-1 font-mono text-sm [overflow-wrap:anywhere]">{text}</code>
      <CopyButton text={text} label={`Copy the command ${text}`} />
    </div>
  )
}

const HEALTH_BADGES = {
  healthy: <Badge word="Healthy" icon="check" tone="done" />,
  degraded: <Badge word="Degraded" icon="warning" tone="waiting" />,
  unhealthy: <Badge word="Not working" icon="cross" tone="failed" />,
}

function ServiceHealth() {
  const health = useQuery(healthQuery())
  if (health.isPending) return <LoadingRows rows={1} label="Loading the state of the service" />
  if (health.isError)
    return <LoadFailure what="The state of the service" error={health.error} retry={() => void health.refetch()} />
  const { status, version, uptime_seconds, reasons } = health.data
  return (
    <div className="card p-4">
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1">
        {HEALTH_BADGES[status]}
        <span className="text-soft">Version {version}</span>
        <span className="text-soft">Up for {formatDuration(uptime_seconds * 1000)}</span>
        <a href="/docs" className="ml-auto text-accent underline underline-offset-2">
          API documentation
        </a>
      </p>
      {reasons.length > 0 && (
        <ul className="mt-3 list-disc pl-5 text-soft">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Preferences() {
  const [off, setOff] = useStored(SHORTCUTS_OFF_KEY)
  const shortcuts_id = useId()
  const [signed_in, setSignedIn] = useStored(SIGNED_IN_KEY)
  const session = useSession()
  const client = useQueryClient()
  const signOut = useMutation({
    mutationFn: () => request<void>('/session', { method: 'DELETE' }),
    onSuccess: () => {
      setSignedIn(null)
      return client.resetQueries()
    },
  })
  return (
    <div className="card divide-y divide-line">
      <div className="flex items-center justify-between gap-4 p-4">
        <span className="font-medium">Theme</span>
        <ThemeSwitch />
      </div>
      <div className="flex items-center justify-between gap-4 p-4">
        <label htmlFor={shortcuts_id}>
          <span className="font-medium">Keyboard shortcuts</span>
          <span className="block text-soft">Single letters can get in the way of speech input.</span>
        </label>
        <input
          id={shortcuts_id}
          type="checkbox"
          checked={off === null}
          onChange={(event) => setOff(event.target.checked ? null : 'off')}
          className="size-5"
        />
      </div>
      <Notifications />
      {signed_in !== null && (
        <div className="flex flex-wrap items-center justify-between gap-4 p-4">
          <span>
            <span className="font-medium">Signed in{session && ` as ${actorName(session.name)}`}</span>
            {session && (
              <span className="block text-soft">
                With the key {session.key_id}, as {session.role}.
              </span>
            )}
          </span>
          <Button busy={signOut.isPending} onClick={() => signOut.mutate()}>
            Sign out
          </Button>
        </div>
      )}
    </div>
  )
}

/** Opt-in twice: here, and in the browser's own question. */
function Notifications() {
  const [stored, store] = useStored(NOTIFICATIONS_KEY)
  const [refused, setRefused] = useState(canNotify() && Notification.permission === 'denied')
  const id = useId()
  const choose = async (wanted: boolean) => {
    if (!wanted) return store(null)
    const answer = await Notification.requestPermission()
    setRefused(answer === 'denied')
    store(answer === 'granted' ? 'on' : null)
  }
  return (
    <div className="flex items-center justify-between gap-4 p-4">
      <label htmlFor={id}>
        <span className="font-medium">Desktop notifications</span>
        <span className="block text-soft">
          {!canNotify()
            ? 'This browser shows none on a page like this.'
            : refused
              ? 'This browser refuses them for this page: allow them in its settings.'
              : 'When something waits for your review and you are elsewhere. They lead here and decide nothing.'}
        </span>
      </label>
      <input
        id={id}
        type="checkbox"
        disabled={!canNotify() || refused}
        checked={stored === 'on' && !refused}
        onChange={(event) => void choose(event.target.checked)}
        className="size-5"
      />
    </div>
  )
}
