import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  attemptPageSchema,
  healthSchema,
  historyPageSchema,
  workflowSchema,
  type Attempt,
  type Transition,
  type Workflow,
  type WorkflowStatus,
} from '@orchestrator/contract'
import { createLogger, listen, type RouteAccess } from '@orchestrator/server'
import { expect, vi } from 'vitest'

import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import type { Clock } from '../src/core/ports.ts'
import { readEvents } from './event-reader.ts'

export interface Answer {
  status: number
  headers: Headers
  text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into whatever came
  body: any
}

/** The service as its clients meet it: a URL, and what they do there. */
export interface Client {
  url: string
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  create(body?: object): Promise<Workflow>
  get(id: string): Promise<Workflow>
  advance(id: string, trigger: string, phase_result?: object): Promise<Answer>
  history(id: string): Promise<Transition[]>
  attempts(id: string): Promise<Attempt[]>
  /** What its health complains of, but for what the busy machine of a test may do to it. */
  troubles(): Promise<string[]>
  /** The workflow, as soon as it is there. */
  until(id: string, status: WorkflowStatus): Promise<Workflow>
  /** What was told of its current attempt when it began to wait for another try, however short that was. */
  untilBackingOff(id: string): Promise<{ reason: string | null; next_retry_at: string | null }>
}

const PATIENCE = { timeout: 30_000, interval: 10 }
export const DESCRIPTION = 'Add user authentication with OAuth2'

export function clientOf(url: string, key?: string): Client {
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const client: Client = {
    url,
    async request(method, path, body, headers = {}) {
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      const answer = await fetch(url + path, {
        method,
        headers: { ...type, ...authorization, ...headers },
        redirect: 'manual',
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      const isJson = answer.headers.get('content-type')?.includes('application/json') === true
      return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined }
    },
    async create(body = {}) {
      const workflow = { workflow_type: 'specify', feature_description: DESCRIPTION, ...body }
      return workflowSchema.parse((await client.request('POST', '/workflows', workflow)).body)
    },
    async get(id) {
      return workflowSchema.parse((await client.request('GET', `/workflows/${id}`)).body)
    },
    advance: (id, trigger, phase_result) =>
      client.request('POST', `/workflows/${id}/advance`, {
        trigger,
        ...(phase_result !== undefined && { phase_result }),
      }),
    async history(id) {
      return historyPageSchema.parse((await client.request('GET', `/workflows/${id}/history`)).body).items
    },
    async attempts(id) {
      return attemptPageSchema.parse((await client.request('GET', `/workflows/${id}/attempts`)).body).items
    },
    async troubles() {
      const { reasons } = healthSchema.parse((await client.request('GET', '/health')).body)
      return reasons.filter((reason) => !/was held up|does not answer in time/.test(reason))
    },
    async until(id, status) {
      return vi.waitFor(async () => {
        const workflow = await client.get(id)
        // With the error, so that a test that fails says why the workflow did.
        expect({ status: workflow.status, error: workflow.error }).toMatchObject({ status })
        return workflow
      }, PATIENCE)
    },
    async untilBackingOff(id) {
      const reader = await readEvents(`${url}/workflows/${id}/events`, authorization)
      const told = () =>
        reader.events.flatMap((event) =>
          event.type === 'attempt.state' && event.data.state === 'backing_off' ? [event.data] : [],
        )
      await expect.poll(told).not.toEqual([])
      await reader.leave()
      return told()[0]!
    },
  }
  return client
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'orchestrator-test-'))
}

export interface Service extends Client {
  folder: string
  first_key: string | undefined
  /** Every route there is, with who may ask it. */
  access: RouteAccess[]
  /** Ends the service and keeps its file. */
  stop(): Promise<void>
  close(): Promise<void>
}

export interface ServiceOptions {
  /** URL of the hub; without one phases are run outside. */
  hub?: string
  env?: Record<string, string>
  /** Of a service that was stopped before. */
  folder?: string
  dashboard?: string
  /** The system's, unless the test drives it. */
  clock?: Clock
}

/** The service in this process, on a port that the system chose and a file of its own. */
export async function startService(o: ServiceOptions = {}): Promise<Service> {
  const folder = o.folder ?? (await temporaryFolder())
  const hub: Record<string, string> =
    o.hub === undefined ? { PHASE_EXECUTION: 'external' } : { AGENT_HUB_URL: o.hub, PHASE_RETRY_BASE_MS: '5' }
  const config = readConfig({ DATABASE_URL: `sqlite:///${folder}/orchestrator.db`, PORT: '0', ...hub, ...o.env })
  const app = await createApp({
    config,
    logger: createLogger({ name: 'orchestrator', level: 'silent' }),
    version: '0.1.0',
    dashboard: o.dashboard ?? join(folder, 'dashboard'),
    onFatal: () => {},
    ...(o.clock && { clock: o.clock }),
  })
  const url = await listen(app.server, config)
  await app.start()
  let stopping: Promise<void> | undefined
  const stop = () => (stopping ??= app.close())
  return {
    ...clientOf(url, app.first_key),
    folder,
    first_key: app.first_key,
    access: app.server.listAccess(),
    stop,
    async close() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
