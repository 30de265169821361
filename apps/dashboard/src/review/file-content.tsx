import { useState, type ComponentProps, type ReactNode } from 'react'
import { useQuery } from '@tanstack/react-query'

import type { Artifact, Attempt, RenderedArtifact } from '@orchestrator/contract'

import { diffQuery, renderedQuery } from '../api/queries.ts'
import { Button } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { Empty, LoadFailure } from '../components/notice.tsx'
import { shortPath, type ReviewFile } from './artifact-order.ts'
import { RenderedDocument } from './rendered-document.tsx'

type DocumentProps = Omit<
  ComponentProps<typeof RenderedDocument>,
  'html' | 'compared' | 'only_changes' | 'earlier_html' | 'inText'
>

interface WholeFileProps extends DocumentProps {
  artifact: Artifact
  /** The same file in the attempt it is compared with, when it differs. */
  before: Artifact | undefined
  inText: (root: HTMLElement) => ReactNode
}

/** The file as a document, with a mark beside what changed. */
export function WholeFile({ artifact, before, inText, ...document }: WholeFileProps) {
  const rendered = useQuery(renderedQuery(artifact.digest))
  const earlier = useQuery({ ...renderedQuery(before?.digest ?? ''), enabled: before !== undefined })
  if (rendered.isError)
    return <LoadFailure what={shortPath(artifact.path)} error={rendered.error} retry={() => void rendered.refetch()} />
  if (rendered.data === undefined) return <DocumentSkeleton />
  return (
    <Measure kind={rendered.data.kind}>
      <RenderedDocument
        key={artifact.digest}
        html={rendered.data.html}
        earlier_html={before === undefined ? undefined : earlier.data?.html}
        compared={false}
        only_changes={false}
        {...document}
        inText={inText}
      />
    </Measure>
  )
}

interface ChangesProps extends DocumentProps {
  artifact: Artifact
  before: Artifact
}

/** What became of the file since another attempt: words in the document, or line by line. */
export function Changes({ artifact, before, ...document }: ChangesProps) {
  const [by, setBy] = useState<'words' | 'lines'>('words')
  const [only, setOnly] = useState(true)
  const diff = useQuery(diffQuery(before.digest, artifact.digest, by))
  if (before.digest === artifact.digest) return <Empty icon="check" title="Nothing changed in this file since then" />
  if (diff.isError) return <LoadFailure what="The comparison" error={diff.error} retry={() => void diff.refetch()} />
  if (diff.data === undefined) return <DocumentSkeleton />
  const { kind, html, added_lines, removed_lines } = diff.data
  return (
    <>
      {kind !== 'unreadable' && (
        <p className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
          <span className="tabular-nums">
            <span className="text-done">+{added_lines}</span> <span className="text-failed">−{removed_lines}</span>{' '}
            lines
          </span>
          <span className="ml-auto flex flex-wrap gap-1">
            {kind === 'document' && (
              <Toggle pressed={!only} onToggle={() => setOnly(!only)}>
                Unchanged text
              </Toggle>
            )}
            {(kind === 'document' || by === 'lines') && (
              <Toggle pressed={by === 'lines'} onToggle={() => setBy(by === 'lines' ? 'words' : 'lines')}>
                Line by line
              </Toggle>
            )}
          </span>
        </p>
      )}
      <Measure kind={kind}>
        <RenderedDocument
          key={`${before.digest} ${artifact.digest} ${by}`}
          html={html}
          earlier_html={undefined}
          compared
          only_changes={only && kind === 'document'}
          {...document}
        />
      </Measure>
    </>
  )
}

function Toggle({ pressed, onToggle, children }: { pressed: boolean; onToggle: () => void; children: string }) {
  return (
    <Button
      look="quiet"
      aria-pressed={pressed}
      onClick={onToggle}
      className="min-h-6 px-2 text-sm aria-pressed:bg-accent-soft aria-pressed:text-accent"
    >
      {children}
    </Button>
  )
}

/** Prose has a measure; code takes the room there is. */
function Measure({ kind, children }: { kind: RenderedArtifact['kind']; children: React.ReactNode }) {
  return <div className={kind === 'source' ? '' : 'max-w-[46rem]'}>{children}</div>
}

/** Above what a file said before it was deleted. */
export function Deleted({ artifact, earlier }: { artifact: ReviewFile; earlier: Attempt | undefined }) {
  return (
    <p className="flex gap-2 border-b border-line bg-failed-soft px-4 py-2 text-failed sm:pl-12">
      <Icon name="cross" className="mt-0.5" />
      <span>
        This attempt deleted <span className="font-mono text-sm">{artifact.path.split('/').at(-1)}</span>. Below is what
        it said in attempt {earlier?.number}.
      </span>
    </p>
  )
}

function DocumentSkeleton() {
  return (
    <div role="status" aria-label="Loading the document" className="flex max-w-[46rem] flex-col gap-3">
      {['w-2/3 h-8', 'w-full', 'w-11/12', 'w-4/5', 'w-1/2 h-6 mt-4', 'w-full', 'w-10/12'].map((size, index) => (
        <div key={index} className={`skeleton h-4 ${size}`} />
      ))}
    </div>
  )
}
