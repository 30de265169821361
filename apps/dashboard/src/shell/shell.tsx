import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Outlet, useNavigate } from '@tanstack/react-router'

import { inboxQuery, sessionQuery } from '../api/queries.ts'
import { isRefusal } from '../api/request.ts'
import { useFollowEvents } from '../api/live.ts'
import { Toasts } from '../components/toast.tsx'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { SignIn } from '../screens/sign-in.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { Help } from './help.tsx'
import { Navigation } from './navigation.tsx'
import { lookForNewerPage } from './newer-page.ts'
import { notifyOfReview } from './notify.ts'

/** Everything around a screen; asks for a key first where the service wants one. */
export function Shell() {
  const session = useQuery(sessionQuery())
  const waiting = useQuery(inboxQuery('waiting_approval'))
  if (isRefusal(waiting.error, 'UNAUTHORIZED') || isRefusal(session.error, 'UNAUTHORIZED')) return <SignIn />
  // Whose drafts these are must be known before anything can be written.
  return session.isPending ? null : <SignedIn />
}

function SignedIn() {
  const navigate = useNavigate()
  const [helping, setHelping] = useState(false)
  useFollowEvents(
    (event) =>
      void notifyOfReview(
        event,
        (workflow_id) => void navigate({ to: '/workflows/$workflow_id', params: { workflow_id } }),
      ),
    () => void lookForNewerPage(),
  )
  useShortcuts(
    [
      { keys: 'g i', does: 'Go to the inbox', run: () => void navigate({ to: '/' }) },
      { keys: 'g w', does: 'Go to all workflows', run: () => void navigate({ to: '/workflows' }) },
      { keys: 'g f', does: 'Go to the features', run: () => void navigate({ to: '/features' }) },
      { keys: 'g s', does: 'Go to the settings', run: () => void navigate({ to: '/settings' }) },
      { keys: 'n', does: 'New workflow', run: () => void navigate({ to: '/new' }) },
      { keys: '?', does: 'This help', run: () => setHelping(true) },
    ],
    'everywhere',
  )
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[13.5rem_1fr]">
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded-lg bg-solid px-3 py-2 text-on-solid focus:translate-y-0"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById('main')?.focus()
        }}
      >
        Skip to content
      </a>
      <Navigation onHelp={() => setHelping(true)} />
      <div className="flex min-h-[calc(100dvh-3.125rem)] min-w-0 flex-col lg:min-h-dvh">
        <ConnectionBanner />
        <main id="main" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
          <Outlet />
        </main>
      </div>
      <Toasts />
      {helping && <Help onClose={() => setHelping(false)} />}
    </div>
  )
}
