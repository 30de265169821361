import { generateKeyPairSync } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import {
  hashOfCreation,
  hashOfLine,
  hashOfRow,
  readCheckpoints,
  signCheckpoint,
  verifyExport,
  type ChainedRow,
  type ExportLine,
  type Head,
} from '../../src/index.ts'

const MADE_AT = '2026-01-31T12:00:00.000Z'

/** Workflows with so many rows each, whose sequences go round. */
function exported(...counts: number[]): ExportLine[] {
  const chains = counts.flatMap((count, index): ExportLine[] => {
    const id = `w${index}`
    const creation = {
      id,
      workflow_type: 'specify',
      feature_id: `00${index}-x`,
      workspace: 'default',
      retry_of: null,
      created_by: 'Robin',
      key_id: null,
      request_id: null,
      address: null,
      created_at: MADE_AT,
    }
    let hash = hashOfCreation(creation)
    const rows = Array.from({ length: count }, (_, n): ExportLine => {
      const row: ChainedRow = {
        workflow_id: id,
        sequence: (n + 1) * counts.length + index,
        id: `${id}-${n}`,
        from_status: 'in_progress',
        to_status: 'waiting_approval',
        trigger: 'agent_complete',
        actor: 'agent',
        key_id: null,
        request_id: null,
        address: null,
        phase: 'phase_1',
        attempt: n + 1,
        attempt_id: `a${n}`,
        digest: null,
        metadata: null,
        words_hash: null,
        created_at: MADE_AT,
      }
      return { kind: 'row', ...row, hash: (hash = hashOfRow(hash, row)), words: null }
    })
    return [{ kind: 'workflow', ...creation, history_hash: hash }, ...rows]
  })
  const rows = counts.reduce((sum, count) => sum + count, 0)
  return [
    { kind: 'export', format: 1, made_at: MADE_AT },
    ...chains,
    { kind: 'end', workflows: counts.length, rows, acts: 0 },
  ]
}

const textOf = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
async function* inPieces(text: string, size = text.length) {
  for (let at = 0; at < text.length; at += size) yield new TextEncoder().encode(text.slice(at, at + size))
}
const check = (lines: readonly object[]) => verifyExport(inPieces(textOf(lines)))
const changed = (lines: ExportLine[], index: number, change: object) =>
  lines.with(index, Object.assign({ ...lines[index]! }, change))

describe('an export', () => {
  it.each([1, 7, 1000])('that is as it was written holds, in pieces of %i bytes', async (size) => {
    const report = await verifyExport(inPieces(textOf(exported(3, 0, 2)), size))
    expect(report).toEqual({
      fault: null,
      workspaces: null,
      workflows: 3,
      rows: 5,
      acts: 0,
      erased: 0,
      checkpoints: { held: 0, newer: 0 },
    })
  })

  it('of nothing holds', async () => {
    expect((await check(exported())).fault).toBeNull()
  })

  it('names the first row that is not as it was written, and no other', async () => {
    // Line 1 is the head, 2 the first workflow, 3 to 6 its rows.
    const { fault } = await check(changed(changed(exported(4, 4), 4, { actor: 'Kim' }), 8, { actor: 'Kim' }))
    expect(fault).toMatchObject({ line: 5, workflow_id: 'w0', sequence: 6 })
    expect(fault?.reason).toContain('does not fit its hash')
  })

  it.each([
    [
      'a row less at its end',
      (lines: ExportLine[]) => lines.toSpliced(4, 1),
      { workflow_id: 'w0', sequence: 4 },
      'The last link',
    ],
    [
      'a row less in its middle',
      (lines: ExportLine[]) => lines.toSpliced(3, 1),
      { workflow_id: 'w0', sequence: 6 },
      'taken away',
    ],
    ['no end', (lines: ExportLine[]) => lines.slice(0, -1), {}, 'its end is missing'],
    ['no head', (lines: ExportLine[]) => lines.slice(1), { line: 1 }, 'head of the export is missing'],
    ['two heads', (lines: ExportLine[]) => [lines[0]!, ...lines], { line: 2 }, 'begins twice'],
    ['more after its end', (lines: ExportLine[]) => [...lines, lines[1]!], { line: 11 }, 'after the end'],
    ['a workflow less', (lines: ExportLine[]) => lines.toSpliced(1, 4), {}, 'should hold 6 rows of 2 workflows'],
    ['a row of nobody', (lines: ExportLine[]) => lines.toSpliced(1, 1), { line: 2 }, 'belongs to no workflow'],
    ['a row twice', (lines: ExportLine[]) => lines.toSpliced(3, 0, lines[2]!), { line: 4 }, 'does not fit its hash'],
    ['another format', (lines: ExportLine[]) => changed(lines, 0, { format: 2 }), { line: 1 }, 'does not know'],
    [
      'a line that is none',
      (lines: ExportLine[]) => [...lines.slice(0, 2), { kind: 'x' } as never],
      { line: 3 },
      'none of an export',
    ],
  ])('with %s is refused', async (_, change, where, reason) => {
    const { fault } = await check(change(exported(3, 3)))
    expect(fault).toMatchObject(where)
    expect(fault?.reason).toContain(reason)
  })
})

describe('checkpoints', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const sign = (spans: { after: number; through: number; heads: Head[] }[], made_at = MADE_AT) => {
    let previous = ''
    return spans.map((span, index) => {
      const line = signCheckpoint({ number: index + 1, made_at, ...span, previous }, privateKey)
      previous = hashOfLine(line)
      return line
    })
  }
  const lines = exported(2, 1)
  const headsOf = (at: number): Head => {
    const row = lines[at] as Extract<ExportLine, { kind: 'row' }>
    return [row.workflow_id, row.sequence, row.hash]
  }
  // w0 has rows 2 and 4, w1 has row 3.
  const SPANS = [
    { after: 0, through: 3, heads: [headsOf(2), headsOf(5)] },
    { after: 3, through: 4, heads: [headsOf(3)] },
  ]
  const read = (signed: string[]) => readCheckpoints(signed.join('\n'), publicKey)

  it('hold what they were signed over', async () => {
    const report = await verifyExport(inPieces(textOf(lines)), read(sign(SPANS)))
    expect(report).toMatchObject({ fault: null, checkpoints: { held: 2, newer: 0 } })
  })

  it('made after the export say nothing of it', async () => {
    const report = await verifyExport(inPieces(textOf(exported())), read(sign(SPANS, '2027-01-01T00:00:00.000Z')))
    expect(report).toMatchObject({ fault: null, checkpoints: { held: 0, newer: 2 } })
  })

  it('find rows that were taken away with all that told of them', async () => {
    const { fault } = await verifyExport(inPieces(textOf(exported(1, 1))), read(sign(SPANS)))
    expect(fault).toMatchObject({ workflow_id: 'w0' })
    expect((await verifyExport(inPieces(textOf(exported(2))), read(sign(SPANS)))).fault).not.toBeNull()
  })

  it('find a workflow that none of them knows', async () => {
    const { fault } = await verifyExport(
      inPieces(textOf(lines)),
      read(sign([{ ...SPANS[0]!, heads: [headsOf(2)] }, SPANS[1]!])),
    )
    expect(fault).toMatchObject({ workflow_id: 'w1', sequence: 3 })
    expect(fault?.reason).toContain('No checkpoint knows this row')
  })

  it.each([
    ['one is changed', (signed: string[]) => signed.with(0, signed[0]!.replace('"after":0', '"after":1')), 1],
    ['one is left out', (signed: string[]) => signed.slice(1), 1],
    ['they change places', (signed: string[]) => signed.toReversed(), 1],
    ['the last one is not JSON', (signed: string[]) => [...signed, '{'], 3],
    ['the last one is another document', (signed: string[]) => [...signed, 'null'], 3],
  ])('are refused when %s', (_, change, line) => {
    expect(() => read(change(sign(SPANS)))).toThrow(`Line ${line} of the checkpoints`)
  })

  it('are refused when another key signed them', () => {
    const other = generateKeyPairSync('ed25519').publicKey
    expect(() => readCheckpoints(sign(SPANS).join('\n'), other)).toThrow('Line 1')
  })
})
