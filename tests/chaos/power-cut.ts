import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { workflowSchema } from '@orchestrator/contract'

import { seeded } from './random.ts'
import { pathOf, stringsOf, type Call } from './strace.ts'

/** What must be recorded of a service for a replay. */
export const RECORDED = ['pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'unlink', 'write', 'writev']

type Change = (content: Buffer) => Buffer

/** A file as the disk has it, and what was written since it was last told to keep it. */
interface DiskFile {
  durable: Buffer
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
    const made = { durable: Buffer.alloc(0), unsynced: [] }
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
    file.durable = file.unsynced.reduce((content, change) => change(content), file.durable)
    file.unsynced = []
  } else if (name === 'ftruncate') {
    const length = Number(text.split(', ').at(-1))
    file.unsynced.push((content) =>
      Buffer.concat([content.subarray(0, length), Buffer.alloc(Math.max(0, length - content.length))]),
    )
  } else {
    const data = stringsOf(text)[0] ?? Buffer.alloc(0)
    file.unsynced.push(writing(data, Number(text.split(', ').at(-1))))
  }
}

function writing(data: Buffer, offset: number): Change {
  return (content) => {
    const end = offset + data.length
    const grown =
      end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : Buffer.from(content)
    data.copy(grown, offset)
    return grown
  }
}

const afterCut = ({ durable, unsynced }: DiskFile, survives: () => boolean) =>
  unsynced.filter(survives).reduce((content, change) => change(content), durable)

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
