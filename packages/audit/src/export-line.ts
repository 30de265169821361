import type { ChainedAct, ChainedRow, Creation } from './chain.ts'

/** What a person wrote with a row; once erased, without salt and words. */
export interface Words {
  salt: string | null
  words: string | null
  erased_at: string | null
  erased_by: string | null
}

/** One line of an export: a head, with the workspaces that it is limited to if it is, each workflow followed by its rows in their order, the acts of admins, and an end that counts them. */
export type ExportLine =
  | { kind: 'export'; format: 1; made_at: string; workspaces?: string[] }
  | ({ kind: 'workflow'; history_hash: string } & Creation)
  | ({ kind: 'row'; hash: string; words: Words | null } & ChainedRow)
  | ({ kind: 'act'; hash: string } & ChainedAct)
  | { kind: 'end'; workflows: number; rows: number; acts: number }
