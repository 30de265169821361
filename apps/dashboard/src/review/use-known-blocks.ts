import { useMemo } from 'react'
import { useQuery } from '@tanstack/react-query'

import type { Attempt, WorkflowType } from '@orchestrator/contract'

import { renderedQuery } from '../api/queries.ts'
import { phaseName } from '../workflow/words.ts'

/** Blocks by digest that need no second reading, each with the reason. */
export type KnownBlocks = ReadonlyMap<string, string>

const NONE: KnownBlocks = new Map()

/**
 * What a reviewer of this attempt has decided on already: blocks of the version of a file that was approved last, and those
 * of the attempt before that this reviewer has read. In the first attempt there is nothing to know.
 */
export function useKnownBlocks(
  workflow_type: WorkflowType,
  path: string | undefined,
  before: readonly Attempt[],
  viewed: ReadonlySet<string>,
): KnownBlocks {
  const fileOf = (attempt: Attempt | undefined) => attempt?.artifacts.find((file) => file.path === path)
  const approved = before.findLast((attempt) => attempt.review?.verdict === 'approved' && fileOf(attempt) !== undefined)
  const last = before.findLast((attempt) => fileOf(attempt) !== undefined)
  const approved_version = useQuery({
    ...renderedQuery(fileOf(approved)?.digest ?? ''),
    enabled: approved !== undefined,
  }).data
  const last_version = useQuery({ ...renderedQuery(fileOf(last)?.digest ?? ''), enabled: last !== undefined }).data
  return useMemo(() => {
    const known = new Map<string, string>()
    for (const { digest } of last_version?.blocks ?? [])
      if (viewed.has(digest)) known.set(digest, `Read before, unchanged since attempt ${last?.number}`)
    for (const { digest } of approved_version?.blocks ?? [])
      known.set(
        digest,
        `Approved in ${approved && phaseName(workflow_type, approved.phase)}, attempt ${approved?.number}`,
      )
    return known.size === 0 ? NONE : known
  }, [approved_version, last_version, approved, last, viewed, workflow_type])
}
