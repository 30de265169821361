import type { Check } from '@orchestrator/contract'

import { COMMANDS } from '../../src/demo-agent/commands.ts'
import type { Invocation } from '../../src/demo-agent/invocation.ts'
import type { Outcome } from '../../src/demo-agent/outcome.ts'
import type { ChangedFile } from '../../src/core/ports.ts'
import { runRules } from '../../src/spec-kit/checks/registry.ts'
import type { Command } from '../../src/spec-kit/command.ts'

export const FEATURE_DIRECTORY = 'specs/007-photo-albums'

export interface Ran {
  outcome: Outcome
  checks: Check[]
  changes: ChangedFile[]
}

export interface DemoRun {
  files: Map<string, string>
  run(command: Command, change?: Partial<Invocation>): Promise<Ran>
}

/** The demo agent's commands on files in memory, each followed by the checks of its phase. */
export function demoRun(feature_description: string): DemoRun {
  const files = new Map<string, string>()
  return {
    files,
    async run(command, change = {}) {
      const before = new Map(files)
      const outcome = await COMMANDS.get(command)!({
        invocation: {
          command,
          feature_id: '007-photo-albums',
          feature_directory: FEATURE_DIRECTORY,
          feature_description,
          attempt: 1,
          ...change,
        },
        date: '2026-01-31',
        findFile: (path) => Promise.resolve(files.get(path)),
        listFiles: (folder) =>
          Promise.resolve([...files.keys()].filter((path) => path.startsWith(`${folder}/`)).toSorted()),
      })
      for (const { path, content } of outcome.steps.flatMap((step) => step.writes)) files.set(path, content)
      const changed = [...files].filter(([path, content]) => before.get(path) !== content)
      const changes = changed.map(([path]): ChangedFile => ({ path, change: before.has(path) ? 'modified' : 'added' }))
      const checks = runRules(command, {
        feature_directory: FEATURE_DIRECTORY,
        changes,
        texts: files,
        before,
        paths: new Set(files.keys()),
        unreadable: new Map(),
        templates: new Map(),
        closing: outcome.report,
      })
      return { outcome, checks, changes }
    },
  }
}

export const errorsOf = (checks: readonly Check[]): Check[] => checks.filter(({ level }) => level === 'error')
