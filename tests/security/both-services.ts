import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createLogger, type RouteAccess } from '@orchestrator/server'

import { startHub } from '../../services/agent-hub/src/app.ts'
import { readConfig } from '../../services/agent-hub/src/config.ts'
import { specify } from '../../services/agent-hub/tests/hub-process.ts'
import { leave, startPlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import {
  startHub as startHubInProcess,
  startProcess,
  type ServiceProcess,
} from '../../services/orchestrator/tests/service-process.ts'
import { startService } from '../../services/orchestrator/tests/service.ts'

/** What a test needs of a service, whichever it is. */
export interface EitherService {
  url: string
  port: number
  folder: string
  document: OpenApiDocument
  /** Every route there is, with who may ask it. */
  access: RouteAccess[]
  /** Path of an event stream that there is. */
  openStream(): Promise<string>
  /** Makes a few of all that there can be. Answers their ids, by the name that parameters have. */
  fill(): Promise<Record<string, string[]>>
  close(): Promise<void>
}

export interface OpenApiDocument {
  paths: Record<string, Record<string, OpenApiOperation>>
  components: { schemas: Record<string, object> }
}

export interface OpenApiOperation {
  parameters?: { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: object }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { content?: Record<string, { schema?: object }> }>
}

type Started = Omit<EitherService, 'document' | 'port'>

async function withDocument(service: Started, token?: string): Promise<EitherService> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(`${service.url}/openapi.json`, { headers })
  const document = (await answer.json()) as OpenApiDocument
  return { ...service, document, port: Number(new URL(service.url).port) }
}

const SPEC = '# Feature Specification\n\nPeople can log in.\n'

/** With a hub that leaves a document in every phase. */
async function startOpenOrchestrator(env: Record<string, string>): Promise<Started> {
  const hub = await startPlainHub()
  hub.agents = { items: [], default: 'demo' }
  hub.usual = leave(hub, { 'specs/001-login/spec.md': SPEC })
  const service = await startService({ hub: hub.url, env })
  return {
    url: service.url,
    access: service.access,
    folder: service.folder,
    openStream: async () => '/events',
    async fill() {
      const ids: string[] = []
      for (let made = 0; made < 6; made++) ids.push((await service.create()).id)
      const workflows = await Promise.all(ids.map((id) => service.until(id, 'waiting_approval')))
      await service.request('POST', `/workflows/${ids[0]}/cancel`)
      const key = (await service.request('POST', '/keys', { name: 'Robin', role: 'viewer' })).body.id as string
      return {
        id: ids,
        feature_id: workflows.map(({ feature_id }) => feature_id),
        digest: [...hub.artifacts.keys()],
        key_id: [key],
      }
    },
    async close() {
      await service.close()
      await hub.close()
    },
  }
}

/** The hub in this process, with a folder of its own; its repository is the demo one. */
async function startOpenHub(env: Record<string, string>): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'hub-edge-'))
  const own = {
    HUB_PORT: '0',
    HUB_DATA_DIR: folder,
    HUB_DATABASE_URL: `sqlite:///${folder}/hub.db`,
    HUB_SANDBOX: 'off',
  }
  const hub = await startHub(
    readConfig({ ...own, ...env }, folder),
    createLogger({ name: 'agent-hub', level: 'silent' }),
    () => {},
  )
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever came
  const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<any> => {
    const sent = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }
    return (await fetch(hub.url + path, sent)).json()
  }
  const invoke = (prefer: string) => post('/invoke/demo', specify(), { prefer })
  return {
    url: hub.url,
    access: hub.access,
    folder,
    openStream: async () => `/invocations/${(await invoke('respond-async')).id}/events`,
    async fill() {
      const { result, metadata } = await invoke('wait=60')
      const asked = { question: 'Which provider is meant?', feature_id: '001-login' }
      const { session_id, escalation_id } = await post('/ask/scope', asked)
      const session = await post('/sessions', { feature_id: '001-login' })
      return {
        id: [metadata.invocation_id, session_id, escalation_id, session.id],
        feature_id: ['001-login'],
        digest: result.data.artifacts.map(({ digest }: { digest: string }) => digest),
        name: ['default'],
        workspace: ['default'],
        session_id: [session_id],
        agent: ['demo'],
      }
    },
    async close() {
      await hub.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Both, as they are on loopback: open to this machine alone. */
export const OPEN_SERVICES: [name: string, start: (env?: Record<string, string>) => Promise<EitherService>][] = [
  ['orchestrator', async (env = {}) => withDocument(await startOpenOrchestrator(env))],
  ['agent-hub', async (env = {}) => withDocument(await startOpenHub(env), env['AGENT_HUB_TOKEN'])],
]

/** A service in a process of its own, for what is measured of one. */
export interface EitherProcess {
  url: string
  port: number
  pid: number
  folder: string
  document: OpenApiDocument
  output(): string
  close(): Promise<void>
}

/** Those of `npm start`, as is the one arena below. */
const ORCHESTRATOR_FLAGS = '--v8-pool-size=1 --max-semi-space-size=8'
const HUB_FLAGS = '--v8-pool-size=1 --max-semi-space-size=2'

type StartProcess = (env?: Record<string, string>) => Promise<EitherProcess>

const inFolder =
  (flags: string, start: (folder: string, env: Record<string, string>) => Promise<ServiceProcess>): StartProcess =>
  async (env = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'edge-process-'))
    const service = await start(folder, { NODE_OPTIONS: flags, MALLOC_ARENA_MAX: '1', ...env })
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApiDocument
    return {
      ...service,
      folder,
      document,
      port: Number(new URL(service.url).port),
      async close() {
        await service.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }
  }

/** Both, as `npm start` runs them. */
export const SERVICE_PROCESSES: [name: string, start: StartProcess][] = [
  [
    'orchestrator',
    inFolder(ORCHESTRATOR_FLAGS, (folder, env) =>
      startProcess(folder, {
        PHASE_EXECUTION: 'external',
        DATABASE_URL: `sqlite:///${folder}/orchestrator.db`,
        ...env,
      }),
    ),
  ],
  ['agent-hub', inFolder(HUB_FLAGS, (folder, env) => startHubInProcess(folder, env))],
]
