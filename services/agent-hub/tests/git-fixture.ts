import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder of one test's own, gone with it. */
export function temporaryFolder(): { path: string; remove: () => Promise<void> } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'agent-hub-')))
  return { path, remove: async () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

/** The user's own git: unhardened, with an identity. Answers its output. */
export function userGit(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@localhost', '-c', 'commit.gpgSign=false']
  const env = { PATH: process.env['PATH'], HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' }
  return execFileSync('git', [...identity, ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

export function writeFiles(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** A repository with one commit on `main`. */
export function makeRepository(
  path: string,
  files: Readonly<Record<string, string>> = { 'README.md': '# Shop\n' },
): string {
  mkdirSync(path, { recursive: true })
  userGit(path, 'init', '--quiet', '--initial-branch=main')
  writeFiles(path, files)
  userGit(path, 'add', '--all')
  userGit(path, 'commit', '--quiet', '-m', 'first')
  return path
}
