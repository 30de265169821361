import type { ChainedAct, ChainedRow, Creation, ExportLine, Words } from '@orchestrator/audit'

import type { Scope } from './scope.ts'

/** A workflow and its rows, as they stood at one moment. */
export interface Chain {
  creation: Creation & { history_hash: string }
  rows: (ChainedRow & { hash: string; words: Words | null })[]
}

export interface AuditStore {
  /** By the workflow's id, beyond `after`. */
  listChains(after: string, limit: number, scope: Scope): Promise<Chain[]>
  /** What admins did, with a sequence beyond `after`, in its order. */
  listActs(after: number, limit: number): Promise<(ChainedAct & { hash: string })[]>
  /** Rows and acts with a sequence beyond `after`, in its order; never one before which another can still appear. */
  listLinks(after: number, limit: number): Promise<{ workflow_id: string; sequence: number; hash: string }[]>
}

/** Workflows read at once. */
const PAGE = 500

/** The whole history as lines of JSON, a page at a time: what `orchestrator audit verify` checks. */
export async function* exportLines(store: AuditStore, now: Date, scope: Scope): AsyncGenerator<string> {
  const line = (value: ExportLine) => `${JSON.stringify(value)}\n`
  let workflows = 0
  let rows = 0
  // Read before anything is told, so that a store that is broken is answered as such.
  let chains = await store.listChains('', PAGE, scope)
  yield line({ kind: 'export', format: 1, made_at: now.toISOString(), ...(scope && { workspaces: [...scope] }) })
  for (let last = chains.at(-1); last !== undefined; last = chains.at(-1)) {
    workflows += chains.length
    let page = ''
    for (const chain of chains) {
      rows += chain.rows.length
      page += line({ kind: 'workflow', ...chain.creation })
      for (const row of chain.rows) page += line({ kind: 'row', ...row })
    }
    yield page
    chains = await store.listChains(last.creation.id, PAGE, scope)
  }
  let acts = 0
  // They are about all workspaces.
  let page = scope === null ? await store.listActs(0, PAGE) : []
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    acts += page.length
    yield page.map((act) => line({ kind: 'act', ...act })).join('')
    page = await store.listActs(last.sequence, PAGE)
  }
  yield line({ kind: 'end', workflows, rows, acts })
}
