import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { healthSchema } from '@orchestrator/contract'

import { askHub } from './hub.ts'
import { findVersion, NODE_MAJOR } from './prerequisites.ts'
import { hostFor, reachableUrl } from './service-url.ts'
import { supervise } from './supervisor.ts'

export interface Finding {
  name: string
  /** `advice`: it runs, but not as well as it could. */
  level: 'ok' | 'advice' | 'failed'
  text: string
  remedy: string | null
}

const ok = (name: string, text: string): Finding => ({ name, level: 'ok', text, remedy: null })
const advice = (name: string, text: string, remedy: string): Finding => ({ name, level: 'advice', text, remedy })
const failed = (name: string, text: string, remedy: string): Finding => ({ name, level: 'failed', text, remedy })

/** Looks at everything that a run needs. Changes nothing: what it starts, it ends, and what it writes, it removes. */
export async function diagnose(root: string, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const own_hub = !env['AGENT_HUB_URL']
  const database = env['DATABASE_URL'] || 'sqlite:///./data/orchestrator.db'
  const hub_database = env['HUB_DATABASE_URL'] || 'sqlite:///./data/agent-hub.db'
  return [
    lookAtNode(),
    lookAtNpm(),
    ...(own_hub ? [lookAtGit(), lookAtSandbox(env)] : []),
    await lookAtData('data', database, 'DATABASE_URL'),
    ...(own_hub ? [await lookAtData('hub data', hub_database, 'HUB_DATABASE_URL')] : []),
    await lookAtPort('port', env['HOST'], env['PORT'] || '8000', 'PORT'),
    ...(own_hub ? [await lookAtPort('hub port', env['HUB_HOST'], env['HUB_PORT'] || '8001', 'HUB_PORT')] : []),
    ...(own_hub ? await lookAtAgents(root, env) : [await lookAtForeignHub(env)]),
  ]
}

function lookAtNode(): Finding {
  const { node } = process.versions
  if (Number.parseInt(node) >= NODE_MAJOR) return ok('node', node)
  return failed(
    'node',
    `${node} is too old, ${NODE_MAJOR} is needed`,
    'Run "npm install" and then "npm start": it brings its own Node.',
  )
}

function lookAtNpm(): Finding {
  const version = findVersion('npm')
  if (version === undefined) return advice('npm', 'not found', 'It is needed to install and to build the page.')
  if (Number.parseInt(version) >= 11) return ok('npm', version)
  return advice('npm', `${version} is older than 11`, 'npm install --global npm@11')
}

function lookAtGit(): Finding {
  const version = findVersion('git')
  if (version !== undefined) return ok('git', version)
  return failed('git', 'not found', 'Agents work in git repositories: install it (https://git-scm.com/downloads).')
}

function lookAtSandbox(env: NodeJS.ProcessEnv): Finding {
  if (env['HUB_SANDBOX'] === 'off') return advice('sandbox', 'switched off', 'Unset HUB_SANDBOX to have it.')
  const version = findVersion('bwrap')
  if (version === undefined) return advice('sandbox', 'bubblewrap not found', 'apt-get install bubblewrap')
  const trial = spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', 'true'], {
    timeout: 10_000,
  })
  if (trial.status === 0) return ok('sandbox', `bubblewrap ${version}`)
  return advice('sandbox', `bubblewrap ${version} is not allowed to work here`, 'Allow unprivileged user namespaces.')
}

async function lookAtData(name: string, url: string, variable: string): Promise<Finding> {
  if (!url.startsWith('sqlite:///') || url === 'sqlite:///:memory:') return ok(name, 'no file')
  const folder = dirname(resolve(url.slice('sqlite:///'.length)))
  const probe = join(folder, `.doctor-${process.pid}`)
  const existed = await stat(folder).then(
    () => true,
    () => false,
  )
  try {
    const made = await mkdir(folder, { recursive: true })
    await writeFile(probe, '')
    await rm(probe)
    if (!existed && made !== undefined) await rm(made, { recursive: true })
    return ok(name, `${folder} can be written`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return failed(
      name,
      `${folder} cannot be written (${reason})`,
      `Change its owner, or name another place by ${variable}.`,
    )
  }
}

async function lookAtPort(name: string, host: string | undefined, port: string, variable: string): Promise<Finding> {
  const address = hostFor(host)
  const server = createServer()
  try {
    server.listen(Number(port), host === undefined || host === '' ? '127.0.0.1' : host)
    await once(server, 'listening')
    const closed = once(server, 'close')
    server.close()
    await closed
    return ok(name, `${port} is free`)
  } catch {
    const health = await fetch(`http://${address}:${port}/health`, { signal: AbortSignal.timeout(2000) })
      .then(async (response) => healthSchema.safeParse(await response.json()).data)
      .catch(() => undefined)
    if (health !== undefined) return ok(name, `${port} serves already, for ${Math.round(health.uptime_seconds)} s`)
    return failed(
      name,
      `${port} cannot be had`,
      `End what uses it, or choose another: ${variable}=${Number(port) + 10} npm start`,
    )
  }
}

async function lookAtForeignHub(env: NodeJS.ProcessEnv): Promise<Finding> {
  const url = env['AGENT_HUB_URL'] ?? ''
  const { agents, trouble } = await askHub(url, env['AGENT_HUB_TOKEN'] ?? '')
  if (agents !== null) return ok('agent hub', `${url} knows ${agents.items.map((agent) => agent.name).join(', ')}`)
  return failed('agent hub', String(trouble), 'See AGENT_HUB_URL and AGENT_HUB_TOKEN.')
}

/** Only a hub knows which agents it finds: one is started for a moment, with an empty data folder, on a free port. */
async function lookAtAgents(root: string, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-'))
  const lines: string[] = []
  const hub = supervise(
    {
      main: join(root, 'services/agent-hub/src/main.ts'),
      flags: [],
      env: {
        ...env,
        HUB_HOST: '',
        HUB_PORT: '0',
        HUB_DATABASE_URL: 'sqlite:///:memory:',
        HUB_DATA_DIR: folder,
        WORKSPACE: '',
        LOG_LEVEL: 'info',
      },
      watch: false,
      port_variable: 'HUB_PORT',
    },
    { onLog: () => {}, onLine: (line) => lines.push(line), onDeath: () => {} },
  )
  const url = await Promise.race([hub.url, hub.ended.then(() => undefined)])
  const answer = url === undefined ? undefined : await askHub(reachableUrl(url), env['AGENT_HUB_TOKEN'] ?? '')
  hub.stop()
  await hub.ended
  await rm(folder, { recursive: true, force: true })
  if (answer === undefined || answer.agents === null) {
    return [
      failed(
        'agents',
        answer?.trouble ?? 'the hub does not start',
        lines.join(' ') || 'npm run start:agent-hub tells why.',
      ),
    ]
  }
  return answer.agents.items.map(({ name, title, version, available, reason, install }) =>
    available
      ? ok(`agent ${name}`, [title, version].filter((word) => word !== null).join(' '))
      : advice(`agent ${name}`, reason ?? 'not found', install ?? 'See docs/services/agent-hub.md.'),
  )
}
