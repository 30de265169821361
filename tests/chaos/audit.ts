import { DatabaseSync } from 'node:sqlite'

import type { Ledger } from './load.ts'

/** Runs one statement beside the service, which may be down. */
export type Rows = (sql: string) => Promise<Record<string, unknown>[]>

/** What became of what was acknowledged. Each list names what is wrong; all are empty when the promise was kept. */
export interface Audit {
  lost: string[]
  doubled: string[]
  gaps: string[]
}

interface Step {
  from_status: string
  to_status: string
  trigger: string
  phase: string
  attempt: number
}

/** Compares the ledger of clients that have finished with everything that is stored. */
export async function audit({ triggers }: Ledger, rows: Rows): Promise<Audit> {
  const found: Audit = { lost: [], doubled: [], gaps: [] }
  const statuses = new Map((await rows('select id, status from workflows')).map(({ id, status }) => [id, status]))
  const steps = await rows(
    'select workflow_id, from_status, to_status, trigger, phase, attempt from workflow_history order by sequence',
  )
  const histories = Map.groupBy(steps as (Record<string, unknown> & Step)[], (step) => step['workflow_id'])
  for (const [id, acknowledged] of triggers) {
    const history = histories.get(id) ?? []
    const stored = history.map((step) => step.trigger)
    const expected = ['start', ...acknowledged]
    const story = `${id}: ${expected.join(' ')}; stored ${stored.join(' ')}`
    const isBroken = history.some((step, at) => step.from_status !== (history[at - 1]?.to_status ?? 'pending'))
    if (!statuses.has(id) || !isPrefix(expected, stored)) found.lost.push(story)
    else if (stored.length > expected.length) found.doubled.push(story)
    if (isBroken || history.at(-1)?.to_status !== statuses.get(id)) found.gaps.push(story)
  }
  for (const id of statuses.keys())
    if (!triggers.has(id as never)) found.doubled.push(`${String(id)}: nobody asked for it`)
  const shared = await rows('select sequence from workflow_history group by sequence having count(*) > 1')
  for (const { sequence } of shared) found.gaps.push(`two steps share the sequence ${String(sequence)}`)
  return found
}

export const KEPT: Audit = { lost: [], doubled: [], gaps: [] }

const isPrefix = (part: readonly string[], whole: readonly string[]) => part.every((one, at) => whole[at] === one)

/** Of a file whose service has ended. */
export function rowsOfFile(path: string): Rows {
  return async (sql) => {
    const database = new DatabaseSync(path)
    try {
      return database.prepare(sql).all()
    } finally {
      database.close()
    }
  }
}
