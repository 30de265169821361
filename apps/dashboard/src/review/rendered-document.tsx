import { memo, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { createPortal } from 'react-dom'

import type { Thread } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { moveFocus } from '../keyboard/move-focus.ts'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import {
  blockAtLine,
  blockOf,
  highlightQuestions,
  linesOf,
  markChanges,
  markLeads,
  placeBelow,
  prepareBlocks,
  readSelection,
} from './document-blocks.ts'
import type { Anchor, DraftComment } from './draft.ts'
import { DraftCard, type DraftEdits } from './draft-card.tsx'
import { ThreadCard } from './thread-card.tsx'

const LONGEST_QUOTE = 10_000

interface RenderedDocumentProps {
  html: string
  /** The same file in the attempt before, to mark what changed; undefined in a comparison, which is marked already. */
  earlier_html: string | undefined
  /** The HTML is a comparison of two versions. */
  compared: boolean
  only_changes: boolean
  drafts: DraftComment[]
  threads: Thread[]
  /** Null where this attempt can no longer be commented on. */
  onComment: ((anchor: Omit<Anchor, 'path'>, suggests: boolean) => void) | null
  edits: DraftEdits
  onFollowLink: (href: string) => boolean
  /** What stands in the text beside comments. */
  inText?: (root: HTMLElement) => ReactNode
  onReady: (root: HTMLElement, changed: number) => void
}

/**
 * A document with comments at its blocks. The HTML is the server’s and is never touched by React again: give it a `key`
 * of its digest.
 */
export function RenderedDocument(props: RenderedDocumentProps) {
  const { html, earlier_html, compared, only_changes, drafts, threads, onComment, onReady } = props
  const [root, setRoot] = useState<HTMLDivElement | null>(null)
  const ready = useRef(onReady)
  useEffect(() => {
    ready.current = onReady
  })

  useLayoutEffect(() => {
    if (root === null) return
    highlightQuestions(root)
    prepareBlocks(root)
  }, [root])
  useEffect(() => {
    if (root === null) return
    ready.current(root, compared ? root.querySelectorAll('[data-changed]').length : markChanges(root, earlier_html))
  }, [root, compared, earlier_html])
  useEffect(() => {
    if (root === null) return
    markLeads(root)
    root.toggleAttribute('data-only-changes', only_changes)
  }, [root, only_changes])

  const commentHere = (suggests: boolean) => {
    const selected = root === null ? undefined : readSelection(root, LONGEST_QUOTE)
    if (selected !== undefined) return onComment?.({ lines: selected.lines, quote: selected.quote }, suggests)
    const block = blockOf(document.activeElement)
    if (block !== null) onComment?.({ lines: linesOf(block), quote: null }, suggests)
    else moveFocus('.document [data-block]', 1)
  }
  useShortcuts([
    { keys: 'j', does: 'Next block', run: () => moveFocus('.document [data-block]', 1) },
    { keys: 'k', does: 'Previous block', run: () => moveFocus('.document [data-block]', -1) },
    { keys: 'n', does: 'Next change', run: () => moveFocus('.document [data-changed]', 1) },
    { keys: 'p', does: 'Previous change', run: () => moveFocus('.document [data-changed]', -1) },
    ...(onComment === null
      ? []
      : [
          { keys: 'c', does: 'Comment on the selection or the block', run: () => commentHere(false) },
          { keys: 's', does: 'Suggest other words for the block', run: () => commentHere(true) },
        ]),
  ])

  return (
    <div
      className="relative"
      onClick={(event) => {
        const link = event.target instanceof Element ? event.target.closest('.document a[href]') : null
        const href = link?.getAttribute('href')
        if (href != null && props.onFollowLink(href)) event.preventDefault()
      }}
    >
      <Html html={html} onRoot={setRoot} />
      {root !== null && onComment !== null && (
        <CommentHandle root={root} onComment={(anchor) => onComment(anchor, false)} />
      )}
      {root !== null && <AtBlocks root={root} drafts={drafts} threads={threads} edits={props.edits} />}
      {root !== null && props.inText?.(root)}
    </div>
  )
}

/** Set once per document: what is added to it afterwards stays. */
const Html = memo(function Html({ html, onRoot }: { html: string; onRoot: (root: HTMLDivElement | null) => void }) {
  return <div ref={onRoot} className="document" dangerouslySetInnerHTML={{ __html: html }} />
})

/** A button beside the block under the pointer, and one above a selected text. */
function CommentHandle({ root, onComment }: { root: HTMLElement; onComment: (anchor: Omit<Anchor, 'path'>) => void }) {
  const [block, setBlock] = useState<HTMLElement | null>(null)
  const [selected, setSelected] = useState<ReturnType<typeof readSelection>>()

  useEffect(() => {
    const onPoint = (event: Event) => {
      const under = blockOf(event.target instanceof Node ? event.target : null)
      if (under !== null) setBlock(under)
    }
    const onSelect = () => setSelected(readSelection(root, LONGEST_QUOTE))
    root.addEventListener('pointerover', onPoint)
    root.addEventListener('focusin', onPoint)
    document.addEventListener('selectionchange', onSelect)
    return () => {
      root.removeEventListener('pointerover', onPoint)
      root.removeEventListener('focusin', onPoint)
      document.removeEventListener('selectionchange', onSelect)
    }
  }, [root])

  useEffect(() => {
    if (block === null) return
    block.dataset['hovered'] = ''
    return () => {
      delete block.dataset['hovered']
    }
  }, [block])

  const frame = root.getBoundingClientRect()
  const button =
    'absolute z-10 inline-flex items-center gap-1.5 rounded-lg bg-solid text-on-solid shadow-float hover:bg-solid-hover'
  if (selected !== undefined)
    return (
      <button
        type="button"
        // Keeps the selection while the button is pressed.
        onPointerDown={(event) => event.preventDefault()}
        onClick={() => {
          onComment({ lines: selected.lines, quote: selected.quote })
          document.getSelection()?.removeAllRanges()
        }}
        className={`${button} px-2.5 py-1 text-sm font-medium`}
        style={{
          top: selected.box.bottom - frame.top + 6,
          left: Math.max(0, Math.min(selected.box.left - frame.left, frame.width - 180)),
        }}
      >
        <Icon name="comment" className="size-3.5" />
        Comment on this
      </button>
    )
  if (block === null || !block.isConnected) return null
  return (
    <button
      type="button"
      aria-label="Comment on this block"
      title="Comment on this block (c)"
      onClick={() => onComment({ lines: linesOf(block), quote: null })}
      className={`${button} -right-1 size-6 justify-center rounded-md max-sm:-right-3 sm:right-auto sm:-left-9`}
      style={{ top: block.getBoundingClientRect().top - frame.top + 1 }}
    >
      <Icon name="comment" className="size-3.5" />
    </button>
  )
}

/** Comments under the blocks they belong to. */
function AtBlocks({
  root,
  drafts,
  threads,
  edits,
}: {
  root: HTMLElement
  drafts: DraftComment[]
  threads: Thread[]
  edits: DraftEdits
}) {
  const by_block = new Map<HTMLElement, { drafts: DraftComment[]; threads: Thread[] }>()
  const at = (line: number) => {
    const block = blockAtLine(root, line)
    if (block === undefined) return undefined
    const entry = by_block.get(block) ?? { drafts: [], threads: [] }
    by_block.set(block, entry)
    return entry
  }
  for (const draft of drafts) if (draft.lines !== null) at(draft.lines.end)?.drafts.push(draft)
  for (const thread of threads) if (thread.lines !== null) at(thread.lines.end)?.threads.push(thread)
  return [...by_block].map(([block, entry]) => (
    <BelowBlock key={linesOf(block).start} block={block}>
      {entry.threads.map((thread) => (
        <ThreadCard key={thread.id} thread={thread} />
      ))}
      {entry.drafts.map((draft) => (
        <DraftCard key={draft.id} draft={draft} {...edits} />
      ))}
    </BelowBlock>
  ))
}

function BelowBlock({ block, children }: { block: HTMLElement; children: ReactNode }) {
  const [host, setHost] = useState<HTMLElement | null>(null)
  useLayoutEffect(() => {
    const element = document.createElement('div')
    element.className = 'comments'
    const { parent, before } = placeBelow(block)
    parent.insertBefore(element, before)
    block.dataset['commented'] = ''
    setHost(element)
    return () => {
      delete block.dataset['commented']
      element.remove()
    }
  }, [block])
  return host === null ? null : createPortal(children, host)
}
