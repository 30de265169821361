/**
 * `npm run chaos -- [--percent N] [FILE…]`: the long forms of the fault tests one after the other, or of those named,
 * such as `npm run chaos -- r1 r14`; with `--percent 10` a tenth of each. Each prints the line that
 * docs/reliability.md quotes.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: { percent: { type: 'string', default: '100' } },
  allowPositionals: true,
})
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project=chaos',
    '--no-file-parallelism',
    '--reporter=verbose',
    ...positionals.map((name) => `tests/chaos/${name}-`),
  ],
  {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, CHAOS_PERCENT: values.percent },
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
