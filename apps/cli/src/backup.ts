import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import * as z from 'zod'

import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'
import type { Outputs } from './ask-service.ts'
import { ProgramError, runProgram } from './run-program.ts'

const NAMES = ['orchestrator', 'agent-hub'] as const
type Name = (typeof NAMES)[number]

const DEFAULT_URLS: Readonly<Record<Name, string>> = {
  orchestrator: 'sqlite:///./data/orchestrator.db',
  'agent-hub': 'sqlite:///./data/agent-hub.db',
}
const VARIABLES: Readonly<Record<Name, string>> = { orchestrator: 'DATABASE_URL', 'agent-hub': 'HUB_DATABASE_URL' }
const NOT_COVERED =
  'Working copies and agents’ homes are not in it: what agents finished is committed to the branches of your repository, which you back up as you do, and what they had not finished is run again.'

const fileSchema = z.object({ bytes: z.number(), sha256: z.string(), migrations: z.array(z.string()) })
const restoredSchema = fileSchema.extend({ put_aside: z.string().nullable() })
const manifestSchema = z.object({
  created_at: z.string(),
  databases: z.partialRecord(z.enum(NAMES), fileSchema),
})

export interface BackupOptions {
  root: string
  env: NodeJS.ProcessEnv
  folder: string
  only?: Name
  json: boolean
}

export interface RestoreOptions extends BackupOptions {
  overwrite: boolean
}

/** Copies the databases into a folder, while the services run or not. The orchestrator's first: what the hub knows beyond it does no harm. */
export async function backup(o: BackupOptions, outputs: Outputs): Promise<ExitCode> {
  return tell(outputs, async () => {
    const paths = pathsOf(o)
    const databases: z.infer<typeof manifestSchema>['databases'] = {}
    for (const [name, path] of paths) {
      const answer = await runProgram(programIn(o.root), ['backup', path, join(o.folder, `${name}.db`)], o.env)
      databases[name] = fileSchema.parse(answer)
    }
    const manifest = { created_at: new Date().toISOString(), databases }
    await writeFile(join(o.folder, 'backup.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
    if (o.json) return JSON.stringify({ folder: resolve(o.folder), ...manifest, not_covered: NOT_COVERED })
    const lines = paths.map(([name]) => `${name.padEnd(12)} ${megabytes(databases[name]?.bytes ?? 0)}`)
    return [...lines, `Written to ${resolve(o.folder)} and read back. ${NOT_COVERED}`].join('\n')
  })
}

/** Puts a backup in place of the databases. The services must not run. Verifies it first, and overwrites nothing unasked. */
export async function restore(o: RestoreOptions, outputs: Outputs): Promise<ExitCode> {
  return tell(outputs, async () => {
    const manifest = await readManifest(o.folder)
    const wanted = pathsOf(o).filter(([name]) => manifest.databases[name] !== undefined)
    if (wanted.length === 0) throw new ProgramError(`${o.folder} holds no backup of what was asked for.`)
    const restored: Partial<Record<Name, z.infer<typeof restoredSchema> & { path: string }>> = {}
    for (const [name, path] of wanted) {
      const sha256 = manifest.databases[name]?.sha256 ?? '-'
      const words = ['restore', join(o.folder, `${name}.db`), path, sha256, ...(o.overwrite ? ['overwrite'] : [])]
      restored[name] = { ...restoredSchema.parse(await runProgram(programIn(o.root), words, o.env)), path }
    }
    if (o.json) return JSON.stringify({ created_at: manifest.created_at, databases: restored })
    const lines = Object.entries(restored).flatMap(([name, { path, put_aside }]) => [
      `${name.padEnd(12)} ${path}, as of ${manifest.created_at}`,
      ...(put_aside === null ? [] : [`${' '.repeat(12)} what was there is now ${put_aside}`]),
    ])
    return lines.join('\n')
  })
}

const programIn = (root: string) => join(root, 'packages/sqlite/src/backup-command.ts')
const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(1)} MB`

function pathsOf({ env, only }: BackupOptions): [Name, string][] {
  return NAMES.filter((name) => only === undefined || only === name).map((name) => {
    const url = env[VARIABLES[name]] || DEFAULT_URLS[name]
    if (/^postgres(ql)?:/.test(url))
      throw new ProgramError(
        `${VARIABLES[name]} names a Postgres server: back it up with pg_dump, restore it with pg_restore, and add "--only agent-hub" here for the hub’s database.`,
      )
    const path = url.startsWith('sqlite:///') ? url.slice('sqlite:///'.length) : ''
    if (path === '' || path === ':memory:') throw new ProgramError(`${VARIABLES[name]} names no file: ${url}`)
    return [name, resolve(path)]
  })
}

async function readManifest(folder: string): Promise<z.infer<typeof manifestSchema>> {
  const path = join(folder, 'backup.json')
  if (!existsSync(path)) throw new ProgramError(`There is no backup in ${folder}: it would have a backup.json.`)
  const manifest = manifestSchema.safeParse(JSON.parse(await readFile(path, 'utf8')))
  if (!manifest.success) throw new ProgramError(`${path} is not what orchestrator backup writes.`)
  return manifest.data
}

async function tell({ out, error }: Outputs, work: () => Promise<string>): Promise<ExitCode> {
  try {
    out.write(`${await work()}\n`)
    return EXIT.ok
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown
    error.write(`${withoutControls(thrown.message)}\n`)
    return EXIT.failed
  }
}
