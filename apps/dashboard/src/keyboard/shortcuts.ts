import { useEffect, useRef } from 'react'

import { readStored } from '../preferences/stored-value.ts'

/** One key (`a`, `?`) or two in a row (`g i`), and what it does in the words of the help. */
export interface Shortcut {
  keys: string
  does: string
  run: () => void
}

/** Letters alone can get in the way of speech input (WCAG 2.1.4), so they can be switched off in the settings. */
export const SHORTCUTS_OFF_KEY = 'orchestrator.shortcuts_off'

const SEQUENCE_MS = 900

interface Active {
  current: Shortcut[]
}

const active = { everywhere: new Set<Active>(), here: new Set<Active>() }

/** All shortcuts that work right now; those of the screen come first and win over those of the whole page. */
export const listShortcuts = (): Shortcut[] => {
  const all = [...[...active.here].toReversed(), ...active.everywhere].flatMap(({ current }) => current)
  return all.filter((shortcut, index) => all.findIndex(({ keys }) => keys === shortcut.keys) === index)
}

/** Makes the shortcuts work while the component is on screen. */
export function useShortcuts(shortcuts: Shortcut[], reach: keyof typeof active = 'here'): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    active[reach].add(latest)
    return () => {
      active[reach].delete(latest)
    }
  }, [reach])
}

let first = ''
let first_at = 0

/** Listens for all of them; called once. */
export function listenForShortcuts(): () => void {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
    if (readStored(SHORTCUTS_OFF_KEY) !== null) return
    const sequence = event.timeStamp - first_at < SEQUENCE_MS ? `${first} ${event.key}` : event.key
    const all = listShortcuts()
    const match = all.find((shortcut) => shortcut.keys === sequence) ?? all.find(({ keys }) => keys === event.key)
    first = match === undefined ? event.key : ''
    first_at = event.timeStamp
    if (match === undefined) return
    event.preventDefault()
    match.run()
  }
  window.addEventListener('keydown', onKeyDown)
  return () => window.removeEventListener('keydown', onKeyDown)
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest('input:not([type=checkbox], [type=radio]), textarea, select') !== null)
