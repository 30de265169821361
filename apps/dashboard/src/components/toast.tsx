import { useSyncExternalStore } from 'react'

import { Icon } from './icon.tsx'

interface Toast {
  id: number
  text: string
}

const SHOWN_MS = 4000

let toasts: readonly Toast[] = []
let next_id = 1
const listeners = new Set<() => void>()

function set(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

/** Says in passing that something was done. What needs an answer belongs into the page instead. */
export function showToast(text: string): void {
  const id = next_id++
  set([{ id, text }])
  setTimeout(() => set(toasts.filter((toast) => toast.id !== id)), SHOWN_MS)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-3 bottom-28 z-40 sm:bottom-20 flex flex-col items-center gap-2"
    >
      {shown.map((toast) => (
        <p key={toast.id} className="flex items-center gap-2 rounded-lg bg-ink px-3.5 py-2 text-canvas shadow-float">
          <Icon name="check" />
          {toast.text}
        </p>
      ))}
    </div>
  )
}
