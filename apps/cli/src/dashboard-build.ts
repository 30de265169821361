import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { killTree } from './kill-tree.ts'
import type { Reporter } from './reporter.ts'

const PAGE = 'apps/dashboard'
/** What the page is made of. Folders count too: a file that was deleted changes its folder's time. */
const SOURCES = [
  `${PAGE}/src`,
  `${PAGE}/public`,
  `${PAGE}/index.html`,
  `${PAGE}/package.json`,
  `${PAGE}/vite.config.ts`,
]

/** Builds the page when there is none or its source is younger. The services run without one, so a failure is only told. */
export async function buildDashboard(root: string, report: Reporter, signal: AbortSignal): Promise<void> {
  if (!(await isStale(root))) return
  const began = performance.now()
  report({ type: 'building' })
  const build = spawn('npm', ['run', '--silent', 'build', '--workspace', PAGE], {
    cwd: root,
    // Another NODE_ENV, as test runners set it, would put React's development build in front of people.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const kill = () => build.pid !== undefined && killTree(build.pid)
  signal.addEventListener('abort', kill)
  // An error and an exit: whichever comes, the words on stderr tell why.
  const [code, words] = await Promise.all([
    once(build, 'exit').then(([exit_code]) => exit_code as number | null, String),
    text(build.stderr),
  ])
  signal.removeEventListener('abort', kill)
  if (signal.aborted) return
  if (code === 0) report({ type: 'built', duration_ms: Math.round(performance.now() - began) })
  else report({ type: 'build_failed', reason: words.trim().split('\n').slice(-3).join(' ') || `exit code ${code}` })
}

async function isStale(root: string): Promise<boolean> {
  const built = await modifiedAt(join(root, PAGE, 'dist/index.html'))
  const sources = await Promise.all(SOURCES.map((path) => newest(join(root, path))))
  return Math.max(...sources) > built
}

/** Milliseconds since 1970 of the youngest file or folder below; 0 when there is nothing. */
async function newest(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true }).catch(() => [])
  const times = await Promise.all([path, ...entries.map((entry) => join(path, entry))].map(modifiedAt))
  return Math.max(...times)
}

async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  )
}
