import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

/** Planted file → the one import that its layer forbids. */
const VIOLATIONS: [file: string, code: string][] = [
  ['packages/contract/src/a1.ts', `import 'node:fs'`],
  ['packages/contract/src/a2.ts', `import 'fastify'`],
  ['packages/contract/src/a3.ts', `import '@orchestrator/client'`],
  ['packages/client/src/a1.ts', `import 'node:http'`],
  ['packages/client/src/a2.ts', `import '@orchestrator/server'`],
  ['packages/server/src/a1.ts', `import '@orchestrator/sqlite'`],
  ['packages/server/src/a2.ts', `import '../../../services/orchestrator/src/app.ts'`],
  ['packages/sqlite/src/a1.ts', `import '@orchestrator/contract'`],
  ['packages/audit/src/a1.ts', `import '@orchestrator/contract'`],
  ['packages/audit/src/a2.ts', `import 'node:fs'`],
  ['packages/spec-kit/src/a1.ts', `import '@orchestrator/contract'`],
  ['packages/spec-kit/src/a2.ts', `import 'node:fs'`],
  ['services/orchestrator/src/core/a1.ts', `import 'fastify'`],
  ['services/orchestrator/src/core/a2.ts', `import 'kysely'`],
  ['services/orchestrator/src/core/a3.ts', `import 'node:fs/promises'`],
  ['services/orchestrator/src/core/a4.ts', `import '../db/store.ts'`],
  ['services/orchestrator/src/core/a5.ts', `import '@orchestrator/server'`],
  ['services/orchestrator/src/core/a6.ts', `import '../config.ts'`],
  ['services/orchestrator/src/core/deep/a7.ts', `import '../../db/store.ts'`],
  ['services/orchestrator/src/core/deep/a8.ts', `import 'node:http'`],
  ['services/orchestrator/src/api/a1.ts', `import '../db/store.ts'`],
  ['services/orchestrator/src/api/a2.ts', `import '../clients/agent-hub.ts'`],
  ['services/orchestrator/src/api/a3.ts', `import '@orchestrator/sqlite'`],
  ['services/orchestrator/src/api/a4.ts', `import 'kysely'`],
  ['services/orchestrator/src/api/deep/a5.ts', `import '../../app.ts'`],
  ['services/orchestrator/src/db/a1.ts', `import '../clients/agent-hub.ts'`],
  ['services/orchestrator/src/db/a2.ts', `import '../api/workflows.ts'`],
  ['services/orchestrator/src/db/a3.ts', `import 'fastify'`],
  ['services/orchestrator/src/clients/a1.ts', `import '../db/store.ts'`],
  ['services/agent-hub/src/acp/a1.ts', `import '../workspace/git.ts'`],
  ['services/agent-hub/src/workspace/a1.ts', `import '../acp/driver.ts'`],
  ['services/agent-hub/src/workspace/a2.ts', `import '@orchestrator/server'`],
  ['services/agent-hub/src/spec-kit/a1.ts', `import '../db/store.ts'`],
  ['services/orchestrator/src/documents/a1.ts', `import '../db/store.ts'`],
  ['services/agent-hub/src/demo-agent/a1.ts', `import '../core/ports.ts'`],
  ['services/agent-hub/src/demo-agent/a2.ts', `import '@orchestrator/sqlite'`],
  ['services/orchestrator/src/a1.ts', `import '@orchestrator/agent-hub-service'`],
  ['services/orchestrator/src/a2.ts', `import '../../agent-hub/src/app.ts'`],
  ['services/agent-hub/src/a1.ts', `import '../../orchestrator/src/app.ts'`],
  ['services/agent-hub/tests/unit/a1.ts', `import '../../../orchestrator/src/app.ts'`],
  ['apps/cli/src/a1.ts', `import '@orchestrator/orchestrator-service'`],
  ['apps/cli/src/a2.ts', `import '../../../services/orchestrator/src/app.ts'`],
  ['apps/cli/src/a3.ts', `import '@orchestrator/server'`],
  ['apps/dashboard/src/a1.ts', `import { ServiceError } from '@orchestrator/contract'\nexport const a = ServiceError`],
  ['apps/dashboard/src/a2.ts', `import '@orchestrator/server'`],
  ['apps/dashboard/src/a3.ts', `import 'node:path'`],
]

/** What the layers allow: a rule that refuses everything would pass the list above, too. */
const ALLOWED: [file: string, code: string][] = [
  ['packages/contract/src/b1.ts', `import 'zod'\nimport './ids.ts'`],
  [
    'packages/client/src/b1.ts',
    `import '@orchestrator/contract'\nimport 'eventsource-parser/stream'\nimport './request.ts'`,
  ],
  ['packages/server/src/b1.ts', `import 'fastify'\nimport '@orchestrator/contract'\nimport './errors.ts'`],
  ['packages/audit/src/b1.ts', `import 'node:crypto'\nimport './chain.ts'`],
  ['packages/sqlite/src/b1.ts', `import 'kysely'\nimport 'node:sqlite'`],
  ['packages/spec-kit/src/b1.ts', `import './prose.ts'`],
  [
    'services/orchestrator/src/core/b1.ts',
    `import '@orchestrator/contract'\nimport '@orchestrator/audit'\nimport '@orchestrator/spec-kit'\nimport './ports.ts'\nimport './deep/x.ts'`,
  ],
  [
    'services/orchestrator/src/core/deep/b2.ts',
    `import '@orchestrator/contract'\nimport '../ports.ts'\nimport './y.ts'`,
  ],
  ['services/orchestrator/src/api/b1.ts', `import '../core/ports.ts'\nimport '@orchestrator/server'\nimport 'fastify'`],
  ['services/orchestrator/src/db/b1.ts', `import '../core/ports.ts'\nimport '@orchestrator/sqlite'\nimport 'kysely'`],
  ['services/agent-hub/src/acp/b1.ts', `import '../core/ports.ts'\nimport '@agentclientprotocol/sdk'`],
  [
    'services/orchestrator/src/b1.ts',
    `import './db/store.ts'\nimport './clients/agent-hub.ts'\nimport '@orchestrator/server'`,
  ],
  ['apps/cli/src/b1.ts', `import '@orchestrator/client'\nimport 'node:child_process'`],
  ['apps/dashboard/src/b1.ts', `import type { Workflow } from '@orchestrator/contract'\nexport type A = Workflow`],
]

interface Finding {
  code: string
  filename: string
}

/** Lints a folder; oxlint answers `{diagnostics: [{code, filename, …}]}` on stdout and exits 1 when it finds something. */
async function lint(folder: string): Promise<{ exit_code: number | null; findings: Finding[] }> {
  const oxlint = spawn(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), '-f', 'json', '.'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(oxlint, 'exit')
  const report = JSON.parse(await text(oxlint.stdout)) as { diagnostics: Finding[] }
  await exited
  return { exit_code: oxlint.exitCode, findings: report.diagnostics }
}

async function plant(files: [file: string, code: string][]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'layers-'))
  await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  await copyFile(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const [file, code] of files) {
    await mkdir(join(folder, dirname(file)), { recursive: true })
    await writeFile(join(folder, file), `${code}\n`)
  }
  return folder
}

describe('the linter guards the layers', () => {
  const folders: string[] = []
  let planted: Awaited<ReturnType<typeof lint>>
  let allowed: Awaited<ReturnType<typeof lint>>
  let other: Awaited<ReturnType<typeof lint>>

  beforeAll(async () => {
    for (const files of [
      VIOLATIONS,
      ALLOWED,
      [
        ['packages/server/src/promise.ts', `export const run = (work: () => Promise<void>) => {\n  work()\n}`],
        ['packages/server/src/any.ts', `export const parse = (text: string): any => JSON.parse(text)`],
        ['packages/server/src/one.ts', `import { two } from './two.ts'\nexport const one = (): number => two()`],
        ['packages/server/src/two.ts', `import { one } from './one.ts'\nexport const two = (): number => one()`],
      ] satisfies [string, string][],
    ]) {
      folders.push(await plant(files))
    }
    ;[planted, allowed, other] = (await Promise.all(folders.map(lint))) as [
      typeof planted,
      typeof allowed,
      typeof other,
    ]
  }, 240_000)

  afterAll(async () => {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })))
  })

  const codesOf = (report: typeof planted, file: string) =>
    report.findings.filter((finding) => finding.filename === file).map((finding) => finding.code)

  it.each(VIOLATIONS)('refuses in %s: %s', (file) => {
    expect(planted.exit_code).toBe(1)
    expect(codesOf(planted, file)).toContain('eslint(no-restricted-imports)')
  })

  it.each(ALLOWED)('allows in %s: %s', (file) => {
    expect(codesOf(allowed, file)).not.toContain('eslint(no-restricted-imports)')
  })

  it.each([
    ['packages/server/src/promise.ts', 'typescript(no-floating-promises)'],
    ['packages/server/src/any.ts', 'typescript(no-explicit-any)'],
    ['packages/server/src/one.ts', 'import(no-cycle)'],
  ])('refuses in %s: %s', (file, code) => {
    expect(codesOf(other, file)).toContain(code)
  })
})
