import { createWorkflowSchema, POSTED_TRIGGERS, ServiceError } from '@orchestrator/contract'
import { pino } from 'pino'
import * as z from 'zod'

import {
  createServer,
  errorResponses,
  eventsQuerySchema,
  type EventSource,
  lastEventId,
  listen,
  sendEvents,
  type Server,
  type ServerOptions,
} from '../src/index.ts'

const ACTOR = { name: 'local', role: 'local', key_id: null, workspaces: null } as const

export interface TestApp {
  app: Server
  url: string
  port: number
  /** Lines of the log, parsed. */
  log: Record<string, unknown>[]
}

/** A small service of its own on a free port: one route of every kind. */
export async function startTestApp(
  o: Partial<ServerOptions> & { events?: EventSource; thrown?: () => Error } = {},
): Promise<TestApp> {
  const log: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) })
  const app = await createServer({
    name: 'test',
    title: 'Test service',
    version: '1.2.3',
    description: 'For tests',
    logger,
    allowed_hosts: [],
    host: '127.0.0.1',
    port: 0,
    trust_proxy: false,
    authenticate: async () => ACTOR,
    ...o,
  })
  addRoutes(app, o)
  const url = await listen(app, { host: '127.0.0.1', port: 0 })
  return { app, url, port: Number(new URL(url).port), log }
}

function addRoutes(app: Server, o: { events?: EventSource; thrown?: () => Error }): void {
  app.route({
    method: 'GET',
    url: '/health',
    config: { public: true },
    schema: { response: { 200: z.object({ status: z.literal('healthy') }) } },
    handler: async () => ({ status: 'healthy' as const }),
  })
  app.route({
    method: 'POST',
    url: '/things',
    schema: {
      body: createWorkflowSchema,
      response: { 201: z.object({ by: z.string() }), ...errorResponses('FEATURE_BUSY') },
    },
    handler: async (request, reply) => {
      reply.code(201)
      return { by: request.actor.name }
    },
  })
  app.route({
    method: 'GET',
    url: '/things/:id',
    schema: {
      params: z.strictObject({ id: z.uuid() }),
      response: { 200: z.object({ id: z.string() }), ...errorResponses('WORKFLOW_NOT_FOUND') },
    },
    handler: async (request) => ({ id: request.params.id }),
  })
  app.route({
    method: 'POST',
    url: '/things/:id/advance',
    schema: {
      params: z.strictObject({ id: z.uuid() }),
      body: z.strictObject({
        trigger: z.enum(POSTED_TRIGGERS),
        phase_result: z.record(z.string(), z.json()).optional(),
      }),
      response: { 200: z.object({ trigger: z.string() }) },
    },
    handler: async (request) => ({ trigger: request.body.trigger }),
  })
  app.route({
    method: 'POST',
    url: '/things/:id/cancel',
    schema: {
      params: z.strictObject({ id: z.uuid() }),
      body: z
        .strictObject({ reason: z.string().min(1).optional() })
        .meta({ id: 'TestCancel' })
        .optional(),
      response: { 200: z.object({ reason: z.string().nullable() }) },
    },
    handler: async (request) => ({ reason: request.body?.reason ?? null }),
  })
  app.route({
    method: 'POST',
    url: '/throws',
    schema: { response: { 200: z.object({}) } },
    handler: async () => {
      throw o.thrown?.() ?? new ServiceError('UNAVAILABLE', 'Come back later.')
    },
  })
  app.route({
    method: 'GET',
    url: '/events',
    schema: { querystring: eventsQuerySchema },
    handler: async (request, reply) => {
      const after = lastEventId(request)
      await sendEvents(request, reply, o.events ?? countFrom(after ?? 0))
    },
  })
}

/** Three events after the given one. */
async function* countFrom(after: number) {
  for (let id = after + 1; id <= after + 3; id++) yield { id, event: 'tick', data: { id } }
}
