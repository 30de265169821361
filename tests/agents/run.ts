/**
 * `npm run test:agents [NAME…]`: installs the agents named (default: gemini and claude) into ./data/agents,
 * which is ignored by git, and runs the tests that drive them. They are no dependencies of this project: each
 * is 100 MB and more, and some are not free software.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { LAUNCH_PROFILES } from '../../services/agent-hub/src/acp/profiles.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = process.argv.length > 2 ? process.argv.slice(2) : ['gemini', 'claude']

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  console.log(`> ${program} ${args.join(' ')}`)
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (status !== 0) process.exit(status ?? 1)
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
for (const profile of profiles) {
  const [program = 'npm', ...args] = profile.install.split(' ')
  run(program, [...args, '--no-audit', '--no-fund'])
}
run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'agents', '--reporter', 'verbose'], {
  TEST_AGENTS: names.join(','),
})
