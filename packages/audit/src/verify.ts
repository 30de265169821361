import { ACTS, hashOfAct, hashOfCreation, hashOfRow, hashOfWords } from './chain.ts'
import type { Checkpoint } from './checkpoints.ts'
import type { ExportLine, Words } from './export-line.ts'

type Line<K extends ExportLine['kind']> = Extract<ExportLine, { kind: K }>

/** The first thing that is not as it was written. */
export interface Fault {
  /** Line of the export, from 1. */
  line: number
  workflow_id: string | null
  sequence: number | null
  /** A sentence. */
  reason: string
}

export interface AuditReport {
  fault: Fault | null
  /** The export holds these alone and tells nothing of others; null: everything. */
  workspaces: string[] | null
  workflows: number
  rows: number
  /** What admins did. */
  acts: number
  /** Rows whose words were erased, with a note of it. */
  erased: number
  /** Checkpoints that the export was held against, and those made after it, which say nothing of it. */
  checkpoints: { held: number; newer: number }
}

/** Checks an export, in chunks as they come, against itself and against what was signed. Stops at the first fault. */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array | string>,
  checkpoints: readonly Checkpoint[] = [],
): Promise<AuditReport> {
  const check = new ExportCheck(checkpoints)
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (!check.take(line)) return check.report()
  }
  if (rest === '' || check.take(rest)) check.finish()
  return check.report()
}

class Found extends Error {
  readonly sequence: number | null

  constructor(reason: string, sequence: number | null = null) {
    super(reason)
    this.sequence = sequence
  }
}

/** Of one workflow, as far as its rows have come. */
interface Chain {
  id: string
  expected_head: string
  hash: string
  sequence: number
  /** The last row that a checkpoint must know, and the last that one does. */
  coverable: number
  covered: number
  /** Signed heads not met yet, by sequence. */
  signed: Map<number, { hash: string; number: number }>
}

class ExportCheck {
  readonly #checkpoints: readonly Checkpoint[]
  #signed = new Map<string, Chain['signed']>()
  /** Rows in between must be covered by checkpoints. */
  #covered = { after: 0, through: 0 }
  #made_at: string | undefined
  #chain: Chain | undefined
  #end: Line<'end'> | undefined
  #line = 0
  readonly #report: AuditReport = {
    fault: null,
    workspaces: null,
    workflows: 0,
    rows: 0,
    acts: 0,
    erased: 0,
    checkpoints: { held: 0, newer: 0 },
  }

  constructor(checkpoints: readonly Checkpoint[]) {
    this.#checkpoints = checkpoints
  }

  report(): AuditReport {
    return this.#report
  }

  /** Answers false once something was found. */
  take(text: string): boolean {
    this.#line++
    return this.#guard(() => this.#takeLine(parseLine(text)))
  }

  finish(): void {
    this.#guard(() => {
      if (this.#end === undefined) throw new Found('The export is not whole: its end is missing.')
      const [missing] = this.#signed
      if (missing === undefined || this.#report.workspaces !== null) return
      const [id, heads] = missing
      this.#chain = { ...emptyChain(id), signed: heads }
      this.#endChain()
    })
  }

  #guard(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (!(error instanceof Found)) throw error
      const workflow_id = this.#chain?.id ?? null
      this.#report.fault = { line: this.#line, workflow_id, sequence: error.sequence, reason: error.message }
      return false
    }
  }

  #takeLine(line: ExportLine): void {
    if (this.#end !== undefined) throw new Found('There is something after the end of the export.')
    if (this.#made_at === undefined && line.kind !== 'export') throw new Found('The head of the export is missing.')
    switch (line.kind) {
      case 'export':
        return this.#begin(line)
      case 'workflow':
        return this.#beginChain(line)
      case 'row':
        return this.#addRow(line)
      case 'act':
        return this.#addAct(line)
      case 'end':
        return this.#takeEnd(line)
    }
  }

  #begin({ format, made_at, workspaces }: Line<'export'>): void {
    if (this.#made_at !== undefined) throw new Found('The export begins twice.')
    if ((format as number) !== 1) throw new Found(`The export has format ${format}, which this version does not know.`)
    this.#made_at = made_at
    this.#report.workspaces = workspaces ?? null
    const held = this.#checkpoints.filter((checkpoint) => checkpoint.made_at <= made_at)
    this.#report.checkpoints = { held: held.length, newer: this.#checkpoints.length - held.length }
    this.#covered = { after: held[0]?.after ?? 0, through: held.at(-1)?.through ?? 0 }
    for (const { heads, number } of held) {
      for (const [workflow_id, sequence, hash] of heads) {
        const known = this.#signed.get(workflow_id)
        if (known === undefined) this.#signed.set(workflow_id, new Map([[sequence, { hash, number }]]))
        else known.set(sequence, { hash, number })
      }
    }
  }

  #beginChain(line: Line<'workflow'>): void {
    this.#endChain()
    this.#report.workflows++
    const hash = hashOfCreation(line)
    const signed = this.#signed.get(line.id)
    this.#signed.delete(line.id)
    this.#chain = { ...emptyChain(line.id), expected_head: line.history_hash, hash, signed: signed ?? new Map() }
  }

  #addRow(row: Line<'row'>): void {
    const chain = this.#chain
    this.#report.rows++
    if (chain === undefined || chain.id !== row.workflow_id)
      throw new Found('This row belongs to no workflow that is here.', row.sequence)
    if (hashOfRow(chain.hash, row) !== row.hash) {
      throw new Found(
        chain.sequence === 0
          ? 'This row does not fit its hash: it was changed, it was not the first, or what is said of the creation was changed.'
          : 'This row does not fit its hash: it was changed, or one before it was taken away or put in.',
        row.sequence,
      )
    }
    this.#checkWords(row.words_hash, row.words, row.sequence)
    this.#follow(chain, row)
  }

  /** One link further, which may be one that was signed. */
  #follow(chain: Chain, { sequence, hash }: { sequence: number; hash: string }): void {
    if (sequence <= chain.sequence) throw new Found('This row is not in its place.', sequence)
    chain.hash = hash
    chain.sequence = sequence
    if (sequence > this.#covered.after && sequence <= this.#covered.through) chain.coverable = sequence
    const signed = chain.signed.get(sequence)
    if (signed === undefined) return
    if (signed.hash !== hash)
      throw new Found(`Checkpoint ${signed.number} was signed over another row in this place.`, sequence)
    chain.covered = sequence
    chain.signed.delete(sequence)
  }

  #addAct(act: Line<'act'>): void {
    if (this.#report.acts++ === 0) {
      this.#endChain()
      this.#chain = { ...emptyChain(ACTS), signed: this.#signed.get(ACTS) ?? new Map() }
      this.#signed.delete(ACTS)
    }
    const chain = this.#chain
    if (chain?.id !== ACTS) throw new Found('This act is not in its place.', act.sequence)
    if (hashOfAct(chain.hash, act) !== act.hash)
      throw new Found(
        'This act does not fit its hash: it was changed, or one before it was taken away or put in.',
        act.sequence,
      )
    // Nothing names the last one but the checkpoints.
    chain.expected_head = act.hash
    this.#follow(chain, act)
  }

  #checkWords(words_hash: string | null, words: Words | null, sequence: number): void {
    if (words_hash === null) {
      if (words !== null) throw new Found('Words were put beside this row that it does not know.', sequence)
      return
    }
    if (words === null)
      throw new Found('The words beside this row are gone, without a note of who erased them.', sequence)
    if (words.words === null && words.salt === null && words.erased_at !== null && words.erased_by !== null) {
      this.#report.erased++
      return
    }
    if (hashOfWords(words.salt ?? '', words.words ?? '') !== words_hash)
      throw new Found('The words beside this row were changed.', sequence)
  }

  /** The chain is whole when it ends where its workflow says, and holds all that was signed of it. */
  #endChain(): void {
    const chain = this.#chain
    if (chain === undefined) return
    const [missing] = chain.signed
    if (missing !== undefined) {
      const [sequence, { number }] = missing
      throw new Found(`Checkpoint ${number} was signed over a row of this workflow that is gone.`, sequence)
    }
    if (chain.hash !== chain.expected_head) {
      const reason =
        'The last link is not the one that the workflow names: rows after this one were taken away, or the name was changed.'
      throw new Found(reason, chain.sequence === 0 ? null : chain.sequence)
    }
    if (chain.coverable > chain.covered)
      throw new Found('No checkpoint knows this row, though it is older than the last one.', chain.coverable)
    this.#chain = undefined
  }

  #takeEnd(end: Line<'end'>): void {
    this.#endChain()
    const { workflows, rows, acts } = this.#report
    if (end.workflows !== workflows || end.rows !== rows || end.acts !== acts)
      throw new Found(
        `The export should hold ${end.rows} rows of ${end.workflows} workflows and ${end.acts} acts of admins, and holds ${rows} of ${workflows} and ${acts}.`,
      )
    this.#end = end
  }
}

function emptyChain(id: string): Chain {
  return { id, expected_head: '', hash: '', sequence: 0, coverable: 0, covered: 0, signed: new Map() }
}

const KINDS: readonly string[] = ['export', 'workflow', 'row', 'act', 'end'] satisfies ExportLine['kind'][]

function parseLine(text: string): ExportLine {
  try {
    const line = JSON.parse(text) as ExportLine | null
    if (line !== null && KINDS.includes(line.kind)) return line
  } catch {
    // Told below.
  }
  throw new Found('This line is none of an export.')
}
