import { createPublicKey } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { readCheckpoints, verifyExport, type AuditReport, type Checkpoint } from '@orchestrator/audit'

import { withClient, type Outputs, type ServiceFlags } from './ask-service.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'

export interface ExportFlags extends Omit<ServiceFlags, 'json'> {
  output?: string
}

export interface VerifyFlags extends ServiceFlags {
  checkpoints?: string
  publicKey?: string
}

/** The whole history into a file, or onto standard output. */
export function exportAudit({ output, ...flags }: ExportFlags, outputs: Outputs): Promise<ExitCode> {
  return withClient(flags, outputs, async (client) => {
    const chunks = await client.exportAudit()
    if (output === undefined) await pipeline(chunks, process.stdout, { end: false })
    else await pipeline(chunks, createWriteStream(output, { mode: 0o600 }))
    return EXIT.ok
  })
}

/** Checks an export, without the service; without a file, what the running service exports. */
export async function verifyAudit(file: string | undefined, flags: VerifyFlags, outputs: Outputs): Promise<ExitCode> {
  const { checkpoints: path, publicKey: key_path, json } = flags
  if ((path === undefined) !== (key_path === undefined)) {
    outputs.error.write('--checkpoints and --public-key belong together.\n')
    return EXIT.usage
  }
  try {
    const checkpoints = path === undefined || key_path === undefined ? [] : await openCheckpoints(path, key_path)
    const check = async (chunks: AsyncIterable<Uint8Array>) => {
      const report = await verifyExport(chunks, checkpoints)
      outputs.out.write(json ? `${JSON.stringify(report)}\n` : textOf(report))
      return report.fault === null ? EXIT.ok : EXIT.failed
    }
    if (file !== undefined) return await check(createReadStream(file, { highWaterMark: 1024 * 1024 }))
    return await withClient(flags, outputs, async (client) => check(await client.exportAudit()))
  } catch (error) {
    // A file that is not there, or checkpoints that are not as they were signed.
    if (!(error instanceof Error)) throw error
    outputs.error.write(`${withoutControls(error.message)}\n`)
    return EXIT.failed
  }
}

async function openCheckpoints(path: string, key_path: string): Promise<Checkpoint[]> {
  return readCheckpoints(await readFile(path, 'utf8'), createPublicKey(await readFile(key_path)))
}

function textOf({ fault, workspaces, workflows, rows, acts, erased, checkpoints }: AuditReport): string {
  if (fault !== null) {
    const where = [
      `line ${fault.line}`,
      fault.workflow_id !== null && `workflow ${fault.workflow_id}`,
      fault.sequence !== null && `sequence ${fault.sequence}`,
    ].filter((part) => part !== false)
    return withoutControls(`Not as it was written: ${where.join(', ')}. ${fault.reason}`) + '\n'
  }
  const words = erased === 0 ? '' : ` Words of ${erased} rows were erased, with a note of it.`
  const newer = checkpoints.newer === 0 ? '' : ` (${checkpoints.newer} are newer than the export)`
  const held =
    checkpoints.held + checkpoints.newer === 0
      ? ' It was held against no checkpoints: a chain that was computed anew as a whole would not be noticed.'
      : ` It agrees with ${checkpoints.held} checkpoints${newer}.`
  const where = workspaces === null ? '' : ` It is of ${workspaces.join(' and ')} alone, as the key that asked for it.`
  return (
    withoutControls(
      `All ${rows} rows of ${workflows} workflows and ${acts} acts of admins are as they were written.${words}${held}${where}`,
    ) + '\n'
  )
}
