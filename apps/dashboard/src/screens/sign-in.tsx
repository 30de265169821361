import { useId, useState } from 'react'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import icon from '../assets/icon.svg'
import { request } from '../api/request.ts'
import { Button } from '../components/button.tsx'
import { writeStored } from '../preferences/stored-value.ts'

/** Whether this browser carries a cookie that can be given back; scripts cannot see the cookie itself. */
export const SIGNED_IN_KEY = 'orchestrator.signed_in'

/** Exchanges a key for a cookie that scripts cannot read; the key itself is kept nowhere. */
export function SignIn() {
  const client = useQueryClient()
  const [key, setKey] = useState('')
  const field_id = useId()
  const signIn = useMutation({
    mutationFn: () => request<void>('/session', { method: 'POST', body: { key: key.trim() } }),
    onSuccess: () => {
      writeStored(SIGNED_IN_KEY, 'yes')
      return client.resetQueries()
    },
  })
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <form
        className="card flex w-full max-w-sm flex-col gap-4 p-6 shadow-float"
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate()
        }}
      >
        <img src={icon} alt="" width="36" height="36" />
        <div>
          <h1 className="text-xl font-semibold tracking-tight">Sign in</h1>
          <p className="text-soft">This server is open to a team, so it wants to know who reviews.</p>
        </div>
        <div className="flex flex-col gap-1.5">
          <label htmlFor={field_id} className="font-medium">
            Your key
          </label>
          <input
            id={field_id}
            type="password"
            autoComplete="current-password"
            required
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
            aria-describedby={`${field_id}-hint`}
            className="field font-mono"
          />
          <p id={`${field_id}-hint`} className="text-sm text-soft">
            Begins with <code>ok_</code>. Whoever runs this server has it, or saw it once when it first started.
          </p>
        </div>
        {signIn.error !== null && (
          <p role="alert" className="text-failed">
            {signIn.error.message}
          </p>
        )}
        <Button type="submit" look="primary" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
    </main>
  )
}
