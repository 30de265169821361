import { useEffect, useMemo, useState } from 'react'
import { useQuery } from '@tanstack/react-query'

import type { Artifact, Attempt, WorkflowType } from '@orchestrator/contract'

import { renderedQuery } from '../api/queries.ts'
import { Button, IconButton } from '../components/button.tsx'
import { Empty, LoadFailure } from '../components/notice.tsx'
import { orderFiles, shortPath } from './artifact-order.ts'
import { blockAtLine, readOutline, type OutlineItem } from './document-blocks.ts'
import type { DraftStore } from './draft.ts'
import { FileTabs } from './file-tabs.tsx'
import { GeneralComments } from './general-comments.tsx'
import { LastRound } from './last-round.tsx'
import { moveFocus } from '../keyboard/move-focus.ts'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { isQuestion, listOpenQuestions } from './open-questions.ts'
import { Outline } from './outline.tsx'
import { RawArtifact } from './raw-artifact.tsx'
import { RenderedDocument } from './rendered-document.tsx'
import { Checks, OpenQuestions } from './review-focus.tsx'

interface ReviewPaneProps {
  workflow_type: WorkflowType
  attempt: Attempt
  /** The attempt before this one that left files: what changed is marked, what was asked of it is shown. */
  earlier: Attempt | undefined
  drafts: DraftStore
  /** Whether this attempt waits for a verdict. */
  reviewable: boolean
  path: string | undefined
  onPath: (path: string) => void
}

/** What an attempt produced, to be read and commented on; what needs a decision stands before the text. */
export function ReviewPane({ workflow_type, attempt, earlier, drafts, reviewable, path, onPath }: ReviewPaneProps) {
  const files = useMemo(
    () => orderFiles(attempt.artifacts, earlier?.artifacts, workflow_type),
    [attempt.artifacts, earlier?.artifacts, workflow_type],
  )
  const artifact = files.find((file) => file.path === path) ?? files[0]
  const [raw, setRaw] = useState(false)
  const [reading, setReading] = useState<Reading>(NOTHING_READ)
  const [line, setLine] = useState<number | null>(null)
  const rendered = useQuery({ ...renderedQuery(artifact?.digest ?? ''), enabled: artifact !== undefined })
  const before = earlier?.artifacts.find((file) => file.path === artifact?.path)
  const comparable = before !== undefined && before.digest !== artifact?.digest
  const rendered_before = useQuery({ ...renderedQuery(before?.digest ?? ''), enabled: comparable })

  const show = (wanted: string, at: number | null) => {
    setRaw(false)
    setLine(at)
    if (wanted !== artifact?.path) onPath(wanted)
    else if (reading.root !== null && at !== null) goToLine(reading.root, at)
  }
  const mine = drafts.draft.comments.filter(({ kind }) => kind === 'comment')
  const here = mine.filter((draft) => draft.path === artifact?.path && draft.attempt_id === attempt.id)

  return (
    <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_19rem] xl:grid-cols-[minmax(0,1fr)_22rem]">
      <aside aria-label="Review focus" className="flex flex-col gap-3 lg:order-last">
        <Checks checks={attempt.checks.filter((check) => !isQuestion(check))} onShow={show} />
        <OpenQuestions
          questions={listOpenQuestions(attempt)}
          attempt_id={attempt.id}
          drafts={drafts}
          can_answer={reviewable}
          onShow={show}
        />
        {earlier?.review != null && <LastRound review={earlier.review} number={earlier.number} />}
        <Outline items={reading.outline} />
      </aside>
      <div className="min-w-0">
        <GeneralComments
          drafts={mine.filter((draft) => !here.includes(draft) || draft.lines === null)}
          attempt_id={attempt.id}
          threads={(attempt.review?.threads ?? []).filter(({ lines }) => lines === null)}
          onChange={drafts.change}
          onRemove={drafts.remove}
        />
        {artifact === undefined ? (
          <div className="card">
            <Empty icon="file" title="This attempt left no files">
              {attempt.output ?? 'See what the agent did under Activity.'}
            </Empty>
          </div>
        ) : (
          <section aria-label={artifact.path} className="card">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-2 py-1.5 sm:px-3">
              <FileTabs files={files} current={artifact.path} compared={earlier !== undefined} onChoose={onPath} />
              <p className="ml-auto flex flex-wrap items-center justify-end gap-x-3 text-sm whitespace-nowrap text-soft">
                {rendered.data !== undefined && (
                  <span>≈ {Math.max(1, Math.round(rendered.data.reading_minutes))} min</span>
                )}
                {comparable && reading.changed > 0 && (
                  <ChangeSteps key={artifact.digest} root={reading.root} count={reading.changed} />
                )}
                <Button look="quiet" className="min-h-7 px-2 text-sm" aria-pressed={raw} onClick={() => setRaw(!raw)}>
                  {raw ? 'Document' : 'Raw'}
                </Button>
              </p>
            </div>
            <div className="px-4 py-5 sm:py-8 sm:pr-8 sm:pl-12">
              {raw ? (
                <RawArtifact artifact={artifact} />
              ) : rendered.isError ? (
                <LoadFailure
                  what={shortPath(artifact.path)}
                  error={rendered.error}
                  retry={() => void rendered.refetch()}
                />
              ) : rendered.data === undefined ? (
                <DocumentSkeleton />
              ) : (
                <div className="max-w-[46rem]">
                  <RenderedDocument
                    key={artifact.digest}
                    html={rendered.data.html}
                    earlier_html={comparable ? rendered_before.data?.html : undefined}
                    drafts={here.filter(({ lines }) => lines !== null)}
                    threads={(attempt.review?.threads ?? []).filter((thread) => thread.path === artifact.path)}
                    onComment={
                      reviewable ? (anchor) => drafts.add({ ...anchor, path: artifact.path }, attempt.id) : null
                    }
                    onChange={drafts.change}
                    onRemove={drafts.remove}
                    onFollowLink={(href) => followLink(href, artifact, files, reading.root, onPath)}
                    onReady={(root, changed) => {
                      setReading({ root, changed, outline: readOutline(root) })
                      if (line !== null) goToLine(root, line)
                      setLine(null)
                    }}
                  />
                </div>
              )}
            </div>
          </section>
        )}
      </div>
    </div>
  )
}

/** What is known of the document on screen. */
interface Reading {
  root: HTMLElement | null
  changed: number
  outline: OutlineItem[]
}

const NOTHING_READ: Reading = { root: null, changed: 0, outline: [] }

function goToLine(root: HTMLElement, line: number): void {
  const block = blockAtLine(root, line)
  block?.focus({ preventScroll: true })
  block?.scrollIntoView({ block: 'center' })
}

/** Links between the files of an attempt stay in the page. Answers whether the link was one of those. */
function followLink(
  href: string,
  artifact: Artifact,
  artifacts: Artifact[],
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

/** How many blocks changed since the attempt before, the way from one to the next, and a view of nothing else. */
function ChangeSteps({ root, count }: { root: HTMLElement | null; count: number }) {
  const [only, setOnly] = useState(false)
  useEffect(() => {
    if (root === null || !only) return
    root.dataset['onlyChanges'] = ''
    return () => {
      delete root.dataset['onlyChanges']
    }
  }, [root, only])
  const go = (step: 1 | -1) => moveFocus('.document [data-changed]', step)
  useShortcuts([
    { keys: 'n', does: 'Next change', run: () => go(1) },
    { keys: 'p', does: 'Previous change', run: () => go(-1) },
    { keys: 'd', does: 'Only what changed', run: () => setOnly(!only) },
  ])
  return (
    <span className="inline-flex items-center gap-1">
      <span className="text-done">{count === 1 ? '1 change' : `${count} changes`}</span>
      <Button
        look="quiet"
        className="min-h-7 px-2 text-sm aria-pressed:bg-accent-soft aria-pressed:text-accent"
        aria-pressed={only}
        onClick={() => setOnly(!only)}
      >
        Only changes
      </Button>
      <IconButton icon="chevron" label="Previous change" className="size-7 -rotate-90" onClick={() => go(-1)} />
      <IconButton icon="chevron" label="Next change" className="size-7 rotate-90" onClick={() => go(1)} />
    </span>
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
