import { useSyncExternalStore } from 'react'

let newer = false
const listeners = new Set<() => void>()

function found(): void {
  newer = true
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Whether the service has another page by now than the one that runs here. */
export const useNewerPage = (): boolean => useSyncExternalStore(subscribe, () => newer)

/** The scripts of a page are named by their content. */
const entryOf = (html: string): string | undefined => /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1]

/** Asks what page is served now; called when the service was away, for it may have come back as another version. */
export async function lookForNewerPage(): Promise<void> {
  const own = document.querySelector<HTMLScriptElement>('script[src^="/assets/"]')?.getAttribute('src')
  if (own === null || own === undefined) return
  const answer = await fetch('/', { headers: { accept: 'text/html' } }).catch(() => undefined)
  if (answer?.ok !== true) return
  const served = entryOf(await answer.text())
  if (served !== undefined && served !== own) found()
}

/** A part of an older page that is not served any more says the same. */
export function listenForMissingParts(): void {
  window.addEventListener('vite:preloadError', (event) => {
    event.preventDefault()
    found()
  })
}
