/**
 * `npm run test:agents [NAME…]`: installs the agents named (default: gemini and claude) into ./data/agents,
 * which is ignored by git, and runs the tests that drive them. They are no dependencies of this project: each
 * is 100 MB and more, and some are not free software. The tests of one that cannot be installed skip themselves.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { LAUNCH_PROFILES } from '../../services/agent-hub/src/acp/profiles.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = process.argv.length > 2 ? process.argv.slice(2) : ['gemini', 'claude']

/** Answers the exit code. */
function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): number {
  console.log(`> ${program} ${args.join(' ')}`)
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  return status ?? 1
}

const profiles = names.map((name) => {
  const profile = LAUNCH_PROFILES.find((candidate) => candidate.name === name)
  if (profile === undefined) {
    console.error(`There is no agent "${name}". Known are ${LAUNCH_PROFILES.map((known) => known.name).join(', ')}.`)
    process.exit(2)
  }
  return profile
})

mkdirSync(`${root}/data/agents`, { recursive: true })
const missing = profiles.filter(({ install }) => {
  const [program = 'npm', ...args] = install.split(' ')
  return run(program, [...args, '--no-audit', '--no-fund']) !== 0
})
for (const { name, install } of missing)
  console.error(`The agent ${name} could not be installed, so its tests are skipped. See above why: ${install}`)
if (missing.length === profiles.length) process.exit(1)
process.exitCode = run(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--project', 'agents', '--reporter', 'verbose'],
  { TEST_AGENTS: names.join(',') },
)
