/**
 * Moves the focus to the next or previous element that matches, in the order of the page; from outside to the first or
 * last. The focus itself is the cursor, so that Enter, screen readers and the browser all agree where it is.
 */
export function moveFocus(selector: string, step: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>(selector)].filter((element) =>
    element.checkVisibility({ visibilityProperty: true }),
  )
  const at = all.findIndex((element) => element === document.activeElement || element.contains(document.activeElement))
  const next = at === -1 ? all.at(step === 1 ? 0 : -1) : all[at + step]
  if (next === undefined) return
  next.focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}
