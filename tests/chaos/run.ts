/**
 * `npm run chaos [FILE…]`: the long forms of the fault tests, one file after the other, or of those named, such as
 * `npm run chaos r1`. Each prints the line that docs/reliability.md quotes.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project=chaos',
    '--no-file-parallelism',
    '--reporter=verbose',
    ...process.argv.slice(2).map((name) => `tests/chaos/${name}`),
  ],
  {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, CHAOS: 'long' },
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
