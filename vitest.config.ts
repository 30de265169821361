import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The seed's three kinds of test and the journeys of a person; every workspace keeps its own. */
const project = (
  name: string,
  include: string[],
  more: { testTimeout: number; hookTimeout: number; globalSetup?: string },
) => ({
  test: { name, include, ...more, setupFiles: ['tests/property-seed.ts'], environment: 'node' as const },
})

// Services, agents and commands are started hundreds of times: compiled once, each takes half of the CPU time.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled')

/** Files of all kinds side by side, the longest of each first: all browsers at the same time would be too many. */
class MixedSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const kinds = Map.groupBy(await super.sort(files), ({ project }) => project.name)
    return [...kinds.values()]
      .flatMap((kind) => kind.map((file, index) => ({ file, place: index / kind.length })))
      .toSorted((a, b) => a.place - b.place)
      .map(({ file }) => file)
  }
}

/** The files of an empty server, for all that ask for one. */
const POSTGRES = 'services/orchestrator/tests/postgres-template.ts'

export default defineConfig({
  test: {
    // Most tests wait, for a process, a disk or a browser, more than they work.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: MixedSequencer },
    // How long a condition may take to come true on a loaded machine; a quiet one waits for none of it.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    projects: [
      project('unit', ['{packages,services,apps}/*/tests/unit/**/*.test.ts', 'tests/unit/**/*.test.ts'], {
        testTimeout: 120_000,
        hookTimeout: 120_000,
      }),
      project('contract', ['{packages,services,apps}/*/tests/contract/**/*.test.ts'], {
        testTimeout: 120_000,
        hookTimeout: 120_000,
      }),
      project('integration', ['{packages,services,apps}/*/tests/integration/**/*.test.ts'], {
        testTimeout: 120_000,
        hookTimeout: 120_000,
        globalSetup: POSTGRES,
      }),
      // Real coding agents, which are no dependencies of ours: skipped, with the reason, where none is installed.
      project('agents', ['tests/agents/**/*.test.ts'], { testTimeout: 120_000, hookTimeout: 120_000 }),
      // The security scoreboard: the matrices of docs/security.md, made from the routes that there are.
      project('security', ['tests/security/**/*.test.ts'], {
        testTimeout: 240_000,
        hookTimeout: 120_000,
        globalSetup: POSTGRES,
      }),
      // The reliability scoreboard, docs/reliability.md: short forms here, long ones by `npm run chaos`.
      project('chaos', ['tests/chaos/**/*.test.ts'], {
        testTimeout: process.env['CHAOS_PERCENT'] === undefined ? 240_000 : 7_200_000,
        hookTimeout: 120_000,
        globalSetup: POSTGRES,
      }),
      project('e2e', ['tests/e2e/**/*.test.ts'], {
        testTimeout: 240_000,
        hookTimeout: 120_000,
        globalSetup: 'tests/e2e/build-page.ts',
      }),
    ],
    coverage: {
      provider: 'v8',
      include: ['{packages,services}/*/src/**/*.ts'],
      reporter: ['text-summary', 'html'],
      reportsDirectory: 'coverage',
      thresholds: {
        'services/orchestrator/src/core/**': { statements: 100, branches: 100, functions: 100, lines: 100 },
      },
    },
  },
})
