import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { runGit } from './git.ts'
import { findStats } from './safe-path.ts'

const README = `# Demo workspace

A small repository to try the Orchestrator on. Each feature that you ask for gets a branch of its own here, with its
documents in \`specs/\`. Your checkout is never touched: look with \`git branch\` and \`git log <branch>\`.

To work on a repository of your own, start with \`WORKSPACE=/path/to/it\`.
`

/** Makes the demo repository unless something lies there already. Built aside, so that a crash leaves no half of one. */
export async function ensureDemoRepository(path: string): Promise<void> {
  if (findStats(path) !== undefined) return
  await mkdir(dirname(path), { recursive: true })
  const fresh = join(dirname(path), `.new-${randomUUID()}`)
  try {
    await mkdir(fresh)
    await runGit({ cwd: fresh }, ['init', '--quiet', '--initial-branch=main', fresh])
    await writeFile(join(fresh, 'README.md'), README)
    const place = { git_dir: join(fresh, '.git'), work_tree: fresh }
    await runGit(place, ['add', '--all'])
    await runGit(place, ['commit', '--quiet', '--no-verify', '-m', 'docs: what this repository is for'])
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    throw error
  }
}
