import { useEffect, useRef } from 'react'

import type { RenderedArtifact } from '@orchestrator/contract'

import { foldSections, markViewed } from './document-blocks.ts'
import type { KnownBlocks } from './use-known-blocks.ts'

/** Folds what is known already and ticks what was read, in the document on screen. */
export function useFolds(
  root: HTMLElement | null,
  blocks: RenderedArtifact['blocks'] | undefined,
  known: KnownBlocks,
  viewed: ReadonlySet<string>,
): void {
  const opened = useRef(new Set<number>())
  useEffect(() => {
    if (root === null || blocks === undefined) return
    const digests = new Map(blocks.map(({ line_start, digest }) => [line_start, digest]))
    const digestAt = (line: number) => digests.get(line) ?? ''
    markViewed(root, (line) => viewed.has(digestAt(line)))
    return foldSections(root, (line) => known.get(digestAt(line)), opened.current)
  }, [root, blocks, known, viewed])
}
