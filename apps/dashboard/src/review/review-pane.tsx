import { useMemo, useState } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'

import type { Attempt, Workflow } from '@orchestrator/contract'

import { artifactTextQuery, renderedQuery } from '../api/queries.ts'
import { Empty } from '../components/notice.tsx'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { orderFiles } from './artifact-order.ts'
import { Assumptions } from './assumptions.tsx'
import { AnswersInText } from './answers-in-text.tsx'
import { ChecklistCards } from './checklists.tsx'
import { Checks } from './checks.tsx'
import { CompareBar, type Showing } from './compare-bar.tsx'
import { readAssumptions, readOutline, topLevelStart, type OutlineItem } from './document-blocks.ts'
import type { DraftComment, DraftStore } from './draft.ts'
import { Changes, Deleted, WholeFile } from './file-content.tsx'
import { FileTabs } from './file-tabs.tsx'
import { followLink } from './follow-link.ts'
import { goToLine } from './go-to-line.ts'
import { GeneralComments } from './general-comments.tsx'
import { isAboutTicks, isQuestion } from './is-question.ts'
import { OpenQuestions } from './open-questions.tsx'
import { Outline } from './outline.tsx'
import { markSections } from './outline-marks.ts'
import { RawArtifact } from './raw-artifact.tsx'
import { Rounds } from './rounds.tsx'
import { sourceOf } from './source-lines.ts'
import type { Answers } from './use-answers.ts'
import { useFolds } from './use-folds.ts'
import { useKnownBlocks } from './use-known-blocks.ts'
import { TicksInText } from './ticks-in-text.tsx'
import { useChecklists } from './use-checklists.ts'
import { useViewed } from './use-viewed.ts'
import { ViewedButton } from './viewed-button.tsx'
import { WeakenedRequirements } from './weakened-requirements.tsx'

interface ReviewPaneProps {
  workflow: Workflow
  attempt: Attempt
  /** The attempts before this one, oldest first. */
  before: Attempt[]
  drafts: DraftStore
  answers: Answers
  /** Whether this attempt waits for a verdict that is this person's to give. */
  reviewable: boolean
  path: string | undefined
  onPath: (path: string) => void
  showing: Showing
  onShowing: (showing: Showing) => void
  base_id: string | undefined
  onBase: (attempt_id: string) => void
}

/** What an attempt produced, to be read and commented on; what needs a decision stands before the text. */
export function ReviewPane(props: ReviewPaneProps) {
  const { workflow, attempt, before, drafts, answers, reviewable, path, onPath, base_id } = props
  const client = useQueryClient()
  const earlier = before.findLast(({ artifacts }) => artifacts.length > 0)
  const files = useMemo(
    () => orderFiles(attempt.artifacts, earlier?.artifacts, workflow.workflow_type),
    [attempt.artifacts, earlier?.artifacts, workflow.workflow_type],
  )
  const artifact = files.find((file) => file.path === path) ?? files[0]
  const fileIn = (other: Attempt | undefined) => other?.artifacts.find((file) => file.path === artifact?.path)
  const bases = before.filter((other) => fileIn(other) !== undefined)
  const base = bases.find(({ id }) => id === base_id) ?? bases.at(-1)
  const base_file = fileIn(base)
  const comparable = base !== undefined && artifact?.change !== 'deleted'
  const isChangedDocument =
    comparable && artifact?.path.endsWith('.md') === true && base_file?.digest !== artifact.digest
  const showing = props.showing === 'changes' && !comparable ? 'document' : props.showing
  const [reading, setReading] = useState<Reading>(NOTHING_READ)
  const [line, setLine] = useState<number | null>(null)
  const viewed = useViewed(workflow.id)
  const rendered = useQuery({ ...renderedQuery(artifact?.digest ?? ''), enabled: artifact !== undefined }).data
  const known = useKnownBlocks(workflow.workflow_type, artifact?.path, before, viewed.digests)
  useFolds(showing === 'document' ? reading.root : null, rendered?.blocks, known, viewed.digests)
  const checklists = useChecklists(workflow.id, attempt.id, reviewable)
  const tick_items = checklists.lists.find((list) => list.path === artifact?.path)?.items ?? []
  const isViewed = artifact !== undefined && viewed.digests.has(artifact.digest)

  const markViewed = () => {
    const start = reading.root === null ? undefined : topLevelStart(reading.root, document.activeElement)
    const block = rendered?.blocks.find(({ line_start }) => line_start === start)
    if (block !== undefined) viewed.mark(block.digest, !viewed.digests.has(block.digest))
    else if (artifact !== undefined) viewed.mark(artifact.digest, !isViewed)
  }
  useShortcuts(reviewable ? [{ keys: 'v', does: 'Viewed: the block, or the file', run: markViewed }] : [])

  const show = (wanted: string, at: number | null) => {
    if (showing !== 'document') props.onShowing('document')
    if (wanted !== artifact?.path || showing !== 'document') {
      setLine(at)
      onPath(wanted)
    } else if (reading.root !== null && at !== null) goToLine(reading.root, at)
  }
  const here = drafts.comments.filter((draft) => draft.path === artifact?.path && draft.attempt_id === attempt.id)
  /** The source of the lines is what a suggestion begins with. */
  const suggest = async (lines: NonNullable<DraftComment['lines']>, digest: string) => {
    return sourceOf(await client.fetchQuery(artifactTextQuery(digest)), lines) ?? ''
  }
  const marks = markSections(reading.outline, {
    comment_lines: [
      ...here,
      ...(attempt.review?.threads ?? []).filter((thread) => thread.path === artifact?.path),
    ].flatMap(({ lines }) => lines?.end ?? []),
    items: tick_items,
    blocks: rendered?.blocks ?? [],
    isRead: (digest) => isViewed || viewed.digests.has(digest) || known.has(digest),
  })
  const edits = { onChange: drafts.change, onRemove: drafts.remove }
  const document_props = artifact && {
    drafts: here.filter(({ lines }) => lines !== null),
    threads: (attempt.review?.threads ?? []).filter((thread) => thread.path === artifact.path),
    onComment: reviewable
      ? (anchor: Pick<DraftComment, 'lines' | 'quote'>, suggests: boolean) => {
          const { lines } = anchor
          if (!suggests || lines === null) return void drafts.add({ ...anchor, path: artifact.path }, attempt.id)
          void suggest(lines, artifact.digest).then((source) =>
            drafts.add({ lines, quote: source || null, path: artifact.path }, attempt.id, source),
          )
        }
      : null,
    edits: {
      ...edits,
      onSuggest: ({ id, lines }: DraftComment) => {
        if (lines === null) return
        void suggest(lines, artifact.digest).then((source) =>
          drafts.change(id, { replacement: source, quote: source || null }),
        )
      },
    },
    onFollowLink: (href: string) => followLink(href, artifact, files, reading.root, onPath),
    onReady: (root: HTMLElement, changed: number) => {
      setReading({ root, changed, outline: readOutline(root), assumptions: readAssumptions(root) })
      if (line !== null) goToLine(root, line)
      setLine(null)
    },
  }
  return (
    <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_19rem] xl:grid-cols-[minmax(0,1fr)_22rem]">
      <aside aria-label="Review focus" className="flex flex-col gap-3 lg:order-last">
        <OpenQuestions answers={answers} can_answer={reviewable} onShow={show} />
        {base !== undefined && base_file !== undefined && artifact !== undefined && isChangedDocument && (
          <WeakenedRequirements
            base={base_file.digest}
            digest={artifact.digest}
            since={`attempt ${base.number}`}
            onShow={(at) => show(artifact.path, at)}
          />
        )}
        <Checks
          checks={attempt.checks.filter(
            (check) => !isQuestion(check) && !(isAboutTicks(check) && checklists.lists.length > 0),
          )}
          onShow={show}
        />
        <Rounds attempt={attempt} before={before} onShow={show} />
        <Assumptions
          assumptions={reading.assumptions}
          onShow={(at) => artifact !== undefined && show(artifact.path, at)}
        />
        <ChecklistCards checklists={checklists} onShow={show} />
        <Outline items={reading.outline} marks={marks} />
      </aside>
      <div className="min-w-0">
        <GeneralComments
          drafts={drafts.comments.filter((draft) => !here.includes(draft) || draft.lines === null)}
          threads={(attempt.review?.threads ?? []).filter(({ lines }) => lines === null)}
          edits={edits}
        />
        {artifact === undefined || document_props === undefined ? (
          <div className="card">
            <Empty icon="file" title="This attempt left no files">
              {attempt.output ?? 'See what the agent did under Activity.'}
            </Empty>
          </div>
        ) : (
          <section aria-label={artifact.path} className="card">
            <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line px-2 py-1.5 sm:px-3">
              <FileTabs
                files={files}
                current={artifact.path}
                compared={earlier !== undefined}
                viewed={viewed.digests}
                onChoose={onPath}
              />
              <div className="ml-auto flex flex-wrap items-center justify-end gap-x-2 gap-y-1">
                {rendered !== undefined && rendered.kind !== 'unreadable' && (
                  <span className="text-sm whitespace-nowrap text-soft">
                    ≈ {Math.max(1, Math.round(rendered.reading_minutes))} min
                  </span>
                )}
                {reviewable && <ViewedButton viewed={isViewed} onMark={(now) => viewed.mark(artifact.digest, now)} />}
                <CompareBar
                  workflow_type={workflow.workflow_type}
                  showing={showing}
                  onShow={props.onShowing}
                  bases={bases}
                  base={comparable ? base : undefined}
                  onBase={props.onBase}
                  changes={reading.changed}
                />
              </div>
            </div>
            {artifact.change === 'deleted' && <Deleted artifact={artifact} earlier={earlier} />}
            <div className="px-4 py-5 sm:py-8 sm:pr-8 sm:pl-12">
              {showing === 'source' ? (
                <RawArtifact artifact={artifact} />
              ) : showing === 'changes' && base_file !== undefined ? (
                <Changes artifact={artifact} before={base_file} {...document_props} />
              ) : (
                <WholeFile
                  artifact={artifact}
                  before={base_file?.digest === artifact.digest ? undefined : base_file}
                  inText={(root) => (
                    <>
                      <AnswersInText root={root} path={artifact.path} answers={answers} can_answer={reviewable} />
                      <TicksInText root={root} items={tick_items} tick={checklists.tick} />
                    </>
                  )}
                  {...document_props}
                />
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
  assumptions: ReturnType<typeof readAssumptions>
}

const NOTHING_READ: Reading = { root: null, changed: 0, outline: [], assumptions: [] }
