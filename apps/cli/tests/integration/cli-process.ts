import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const here = import.meta.dirname

/** A folder that looks like the repository, with stub services and a page that takes no time to build. */
export async function makeRoot(
  build = `require('node:fs').mkdirSync('dist',{recursive:true});require('node:fs').writeFileSync('dist/index.html','')`,
) {
  const root = await mkdtemp(join(tmpdir(), 'cli-'))
  for (const service of ['orchestrator', 'agent-hub']) {
    const main = join(root, 'services', service, 'src/main.ts')
    await mkdir(dirname(main), { recursive: true })
    await cp(join(here, 'stub-service.ts'), main)
  }
  await mkdir(join(root, 'apps/dashboard/src'), { recursive: true })
  await writeFile(join(root, 'apps/dashboard/src/main.tsx'), '')
  await writeFile(join(root, 'apps/dashboard/build.cjs'), build)
  await writeFile(join(root, 'package.json'), '{"name":"root","type":"module","workspaces":["apps/*"]}')
  await writeFile(
    join(root, 'apps/dashboard/package.json'),
    '{"name":"page","version":"1.0.0","scripts":{"build":"node build.cjs"}}',
  )
  return { root, remove: () => rm(root, { recursive: true, force: true }) }
}

/** The command line as a process of its own, and all that it said so far. */
export function startCli(root: string, words: string[], env: NodeJS.ProcessEnv = {}) {
  const started = spawn(process.execPath, [join(here, 'run-cli.ts'), root, ...words], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      PORT: '0',
      HUB_PORT: '0',
      ...env,
    },
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const errors: string[] = []
  createInterface(started.stdout).on('line', (line) => lines.push(line))
  createInterface(started.stderr).on('line', (line) => errors.push(line))
  const exited = once(started, 'close').then(([code]) => code as number | null)
  return {
    lines,
    errors,
    exited,
    signal: (name: NodeJS.Signals) => started.kill(name),
    /** Of `--json`. */
    events: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    async end() {
      started.kill('SIGTERM')
      started.kill('SIGINT')
      await exited
    },
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
