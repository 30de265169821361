import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { argumentsOf, readDockerfile, replay, type Stage } from './dockerfile.ts'

const root = resolve(import.meta.dirname, '../..')

/** There is no container engine in a test: the image's steps are taken in folders, and its command is started there. */
const IMAGES = [
  {
    service: 'orchestrator',
    port_variable: 'PORT',
    port: 8000,
    // Bound wide, as in the container, but for the machine that runs the test alone.
    env: { PORT: '0', DATABASE_URL: 'sqlite:///./orchestrator.db', AGENT_HUB_URL: 'http://127.0.0.1:9' },
    says: 'Admin key, shown this once: ok_',
  },
  {
    service: 'agent-hub',
    port_variable: 'HUB_PORT',
    port: 8001,
    env: {
      HUB_PORT: '0',
      HUB_DATABASE_URL: 'sqlite:///./agent-hub.db',
      HUB_DATA_DIR: './data',
      AGENT_HUB_TOKEN: 'a-long-enough-secret',
    },
    says: 'listening',
  },
]

describe.each(IMAGES)('the image of $service', ({ service, port_variable, port, env, says }) => {
  const dockerfile = join(root, 'services', service, 'Dockerfile')
  let stages: Stage[]
  let folder: string
  let app: string
  let process_: ChildProcess | undefined

  beforeAll(async () => {
    stages = await readDockerfile(dockerfile)
    folder = await mkdtemp(join(tmpdir(), 'image-'))
    app = await replay(stages, root, folder)
  }, 300_000)

  afterAll(async () => {
    process_?.kill('SIGTERM')
    await rm(folder, { recursive: true, force: true })
  })

  it('is made of paths that exist', () => {
    const copied = stages
      .flatMap((stage) => argumentsOf(stage, 'COPY'))
      .filter((argument) => !argument.startsWith('--from='))
      .flatMap((argument) => argument.split(' ').slice(0, -1))
    expect(copied.length).toBeGreaterThan(5)
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('is small, runs as nobody special, tells its health, and names its port', () => {
    const last = stages.at(-1)
    expect(stages.filter((stage) => stage.base === 'node:26-slim').length).toBeGreaterThanOrEqual(2)
    expect(argumentsOf(last, 'USER')).toEqual(['node'])
    expect(argumentsOf(last, 'EXPOSE')).toEqual([String(port)])
    expect(argumentsOf(last, 'ENV').join(' ')).toContain(`${port_variable}=${port}`)
    expect(argumentsOf(last, 'HEALTHCHECK')).toHaveLength(1)
  })

  it('holds no tool of development', async () => {
    const packages = await readdir(join(app, 'node_modules'))
    expect(packages).toContain('fastify')
    expect(packages.filter((name) => ['vite', 'vitest', 'typescript', 'oxlint', 'node'].includes(name))).toEqual([])
  })

  it('starts by its command, and its health check passes', async () => {
    const last = stages.at(-1)
    const [command = ''] = argumentsOf(last, 'CMD')
    const [, ...words] = JSON.parse(command) as string[]
    const variables = Object.fromEntries(
      argumentsOf(last, 'ENV').flatMap((line) => line.split(' ').map((one) => one.split('='))),
    )
    const started = spawn(process.execPath, words, {
      cwd: app,
      env: { PATH: process.env['PATH'], ...variables, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    process_ = started
    const lines: string[] = []
    createInterface(started.stdout).on('line', (line) => lines.push(line))
    await expect.poll(() => lines.join('\n'), { timeout: 30_000 }).toContain('"url"')
    await expect.poll(() => lines.join('\n')).toContain(says)

    const [, url = ''] = /"url":"([^"]+)"/.exec(lines.join('\n')) ?? []
    const [check = ''] = argumentsOf(last, 'HEALTHCHECK').map((argument) => argument.slice(argument.indexOf('[')))
    const [, ...probe] = JSON.parse(check) as string[]
    const health = spawn(process.execPath, probe, { env: { [port_variable]: new URL(url).port }, stdio: 'ignore' })
    await expect(once(health, 'exit')).resolves.toEqual([0, null])

    const exited = once(started, 'exit')
    started.kill('SIGTERM')
    await expect(exited).resolves.toEqual([0, null])
  })
})

describe('compose.yaml', () => {
  it('names files that exist, one secret for both, and a hub by its service name', async () => {
    const compose = await readFile(join(root, 'compose.yaml'), 'utf8')
    const dockerfiles = [...compose.matchAll(/dockerfile: (\S+)/g)].map((match) => String(match[1]))
    expect(dockerfiles.toSorted()).toEqual(['services/agent-hub/Dockerfile', 'services/orchestrator/Dockerfile'])
    expect(dockerfiles.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect(compose.match(/AGENT_HUB_TOKEN: \$\{AGENT_HUB_TOKEN:\?/g)).toHaveLength(2)
    expect(compose).toContain('AGENT_HUB_URL: http://agent-hub:8001')
    expect(compose).toContain('ALLOWED_HOSTS: agent-hub')
  })
})
