import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { workflowSchema } from '@orchestrator/contract'

import { seeded } from './random.ts'
import { pathOf, stringsOf, type Call } from './strace.ts'

/** What must be recorded of a service for a replay. */
export const RECORDED = ['pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'write', 'writev']

/** Bytes of a file, with room to grow in place: a log of many megabytes is written in thousands of small pieces. */
interface Content {
  bytes: Buffer
  length: number
}

type Change = (content: Content) => void

/** A file as the disk has it, and what was written since it was last told to keep it. */
interface DiskFile {
  durable: Content
  unsynced: Change[]
}

export interface PowerCutReport {
  /** Acknowledgements after each of which the power was cut. */
  cuts: number
  /** Acknowledged, and not there after the cut. */
  lost: number
  /** The database would not open, or was damaged. */
  broken: number
}

/**
 * Replays what a service wrote, and cuts the power at every acknowledgement: only the bytes that an fsync covered
 * survive or, with `luck`, a random part of the others as well, as a disk may write in any order.
 */
export function cutAtEveryAnswer(calls: readonly Call[], database: string, luck?: number): PowerCutReport {
  const disk = new Map<string, DiskFile>()
  const fileOf = (path: string) => {
    const known = disk.get(path)
    if (known !== undefined) return known
    const made = { durable: { bytes: Buffer.alloc(0), length: 0 }, unsynced: [] }
    disk.set(path, made)
    return made
  }
  const random = seeded(luck ?? 0)
  const report: PowerCutReport = { cuts: 0, lost: 0, broken: 0 }
  for (const { name, text, result } of calls) {
    if (name === 'write' || name === 'writev') {
      const answer = acknowledgedIn(text)
      if (answer === undefined) continue
      const survives = luck === undefined ? () => false : () => random.below(2) === 0
      const contents = [database, `${database}-wal`].map((path) => afterCut(fileOf(path), survives))
      report.cuts++
      const stored = readAfterCut(contents, answer.id)
      if (stored === 'broken') report.broken++
      else if (stored?.status !== answer.status || stored.current_phase !== answer.current_phase) report.lost++
    } else if (name === 'unlink') {
      disk.delete(stringsOf(text)[0]?.toString() ?? '')
    } else if (result >= 0) {
      apply(name, text, fileOf(pathOf(text)))
    }
  }
  return report
}

function apply(name: string, text: string, file: DiskFile): void {
  if (name === 'fsync' || name === 'fdatasync') {
    for (const change of file.unsynced) change(file.durable)
    file.unsynced = []
  } else if (name === 'ftruncate') {
    const length = Number(text.split(', ').at(-1))
    file.unsynced.push((content) => resize(content, length))
  } else {
    const data = stringsOf(text)[0] ?? Buffer.alloc(0)
    file.unsynced.push(writing(data, Number(text.split(', ').at(-1))))
  }
}

function writing(data: Buffer, offset: number): Change {
  return (content) => {
    resize(content, Math.max(content.length, offset + data.length))
    data.copy(content.bytes, offset)
  }
}

function resize(content: Content, length: number): void {
  if (length > content.bytes.length) {
    const grown = Buffer.alloc(length * 2)
    content.bytes.copy(grown, 0, 0, content.length)
    content.bytes = grown
  }
  // What a file grows by reads as zeros.
  if (length > content.length) content.bytes.fill(0, content.length, length)
  content.length = length
}

function afterCut({ durable, unsynced }: DiskFile, survives: () => boolean): Buffer {
  const content = { bytes: Buffer.from(durable.bytes.subarray(0, durable.length)), length: durable.length }
  for (const change of unsynced.filter(survives)) change(content)
  return content.bytes.subarray(0, content.length)
}

/** The workflow that a 2xx written to a client tells of. */
function acknowledgedIn(text: string) {
  const said = Buffer.concat(stringsOf(text)).toString()
  if (!/^HTTP\/1\.1 20\d /.test(said)) return undefined
  return workflowSchema.safeParse(JSON.parse(said.slice(said.indexOf('\r\n\r\n') + 4) || 'null')).data
}

/** What the service would find when it is started again. */
function readAfterCut([content = Buffer.alloc(0), wal = Buffer.alloc(0)]: Buffer[], id: string) {
  const folder = mkdtempSync(join(tmpdir(), 'power-cut-'))
  const path = join(folder, 'orchestrator.db')
  writeFileSync(path, content)
  writeFileSync(`${path}-wal`, wal)
  try {
    const opened = new DatabaseSync(path)
    try {
      if (opened.prepare('pragma integrity_check').get()?.['integrity_check'] !== 'ok') return 'broken'
      // The table itself may be lost.
      const [table] = opened.prepare("select 1 from sqlite_master where name = 'workflows'").all()
      if (table === undefined) return undefined
      return opened.prepare('select status, current_phase from workflows where id = ?').get(id)
    } finally {
      opened.close()
    }
  } catch {
    return 'broken'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
