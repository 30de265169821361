import { hashOfCreation, hashOfRow, hashOfWords } from './chain.ts'
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
    if (row.sequence <= chain.sequence) throw new Found('This row is not in its place.', row.sequence)
    this.#checkWords(row.words_hash, row.words, row.sequence)
    chain.hash = row.hash
    chain.sequence = row.sequence
    if (row.sequence > this.#covered.after && row.sequence <= this.#covered.through) chain.coverable = row.sequence
    const signed = chain.signed.get(row.sequence)
    if (signed === undefined) return
    if (signed.hash !== row.hash)
      throw new Found(`Checkpoint ${signed.number} was signed over another row in this place.`, row.sequence)
    chain.covered = row.sequence
    chain.signed.delete(row.sequence)
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
    const { workflows, rows } = this.#report
    if (end.workflows !== workflows || end.rows !== rows)
      throw new Found(
        `The export should hold ${end.rows} rows of ${end.workflows} workflows, and holds ${rows} of ${workflows}.`,
      )
    this.#end = end
  }
}

function emptyChain(id: string): Chain {
  return { id, expected_head: '', hash: '', sequence: 0, coverable: 0, covered: 0, signed: new Map() }
}

const KINDS: readonly string[] = ['export', 'workflow', 'row', 'end'] satisfies ExportLine['kind'][]

function parseLine(text: string): ExportLine {
  try {
    const line = JSON.parse(text) as ExportLine | null
    if (line !== null && KINDS.includes(line.kind)) return line
  } catch {
    // Told below.
  }
  throw new Found('This line is none of an export.')
}
