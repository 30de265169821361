import type { Artifact } from '@orchestrator/contract'

/** Links between the files of an attempt stay in the page. Answers whether the link was one of those. */
export function followLink(
  href: string,
  artifact: Artifact,
  artifacts: readonly Artifact[],
  root: HTMLElement | null,
  onPath: (path: string) => void,
): boolean {
  if (href.startsWith('#')) {
    const target = root?.querySelector<HTMLElement>(`[id="${CSS.escape(decodeURIComponent(href.slice(1)))}"]`)
    target?.scrollIntoView()
    return true
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(href)) return false
  const { pathname } = new URL(href, `http://files/${artifact.path}`)
  const file = artifacts.find(({ path }) => `/${path}` === decodeURIComponent(pathname))
  if (file !== undefined) onPath(file.path)
  // A file that is not here has no address in this page either.
  return true
}
