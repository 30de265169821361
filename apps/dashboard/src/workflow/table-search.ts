import type { WorkflowStatus, WorkflowType } from '@orchestrator/contract'

import type { WorkflowFilters } from '../api/queries.ts'
import { WORKFLOW_STATUS_ORDER, WORKFLOW_TYPE_ORDER } from './words.ts'

/** The filters of the table as they stand in the address, in the words a person types. */
export interface TableSearch {
  status?: WorkflowStatus
  type?: WorkflowType
  feature?: string
  q?: string
}

/** What people say for a status, beside its own name. */
const STATUS_WORDS: Record<string, WorkflowStatus> = {
  waiting: 'waiting_approval',
  review: 'waiting_approval',
  running: 'in_progress',
  queued: 'pending',
  done: 'completed',
}

const findStatus = (word: unknown): WorkflowStatus | undefined =>
  WORKFLOW_STATUS_ORDER.find((status) => status === word) ?? STATUS_WORDS[String(word)]

const findType = (word: unknown): WorkflowType | undefined => WORKFLOW_TYPE_ORDER.find((type) => type === word)

/** Reads the address; what it does not know it leaves out. */
export function parseTableSearch(search: Record<string, unknown>): TableSearch {
  const status = findStatus(search['status'])
  const type = findType(search['type'])
  const feature = search['feature']
  // The router reads `q=12` as a number.
  const q = typeof search['q'] === 'number' ? String(search['q']) : search['q']
  return {
    ...(status !== undefined && { status }),
    ...(type !== undefined && { type }),
    ...(typeof feature === 'string' && feature !== '' && { feature }),
    ...(typeof q === 'string' && q !== '' && { q }),
  }
}

/**
 * Takes `status:waiting type:plan some text` apart. A filter word with a value nobody knows stays text, so that
 * nothing typed is lost without a trace.
 */
export function readFilterText(text: string): TableSearch {
  const found: TableSearch = {}
  const words: string[] = []
  for (const word of text.split(/\s+/)) {
    const [, name, value = ''] = /^(status|type|feature):(\S+)$/.exec(word) ?? []
    const status = name === 'status' ? findStatus(value) : undefined
    const type = name === 'type' ? findType(value) : undefined
    if (status !== undefined) found.status = status
    else if (type !== undefined) found.type = type
    else if (name === 'feature') found.feature = value
    else if (word !== '') words.push(word)
  }
  return words.length === 0 ? found : { ...found, q: words.join(' ') }
}

/** The parameters of `GET /workflows`. */
export const toFilters = ({ status, type, feature, q }: TableSearch): WorkflowFilters => ({
  status,
  workflow_type: type,
  feature_id: feature,
  q,
})
