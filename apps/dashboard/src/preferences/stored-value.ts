import { useCallback, useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  // Another tab wrote: both tabs show the same draft and the same theme.
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

/** A full or forbidden storage must not stop a person from reviewing: the value then lives as long as the page. */
const unsaved = new Map<string, string>()

export function readStored(key: string): string | null {
  try {
    return unsaved.get(key) ?? localStorage.getItem(key)
  } catch {
    return unsaved.get(key) ?? null
  }
}

/** Writes a text under `key`, or removes it with null, and tells everybody who shows it. */
export function writeStored(key: string, value: string | null): void {
  unsaved.delete(key)
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    if (value !== null) unsaved.set(key, value)
  }
  for (const listener of listeners) listener()
}

/** A text of localStorage as state. */
export function useStored(key: string): [string | null, (value: string | null) => void] {
  const value = useSyncExternalStore(subscribe, () => readStored(key))
  const write = useCallback((next: string | null) => writeStored(key, next), [key])
  return [value, write]
}
