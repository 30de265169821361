import { randomUUID } from 'node:crypto'

import { ServiceError } from '@orchestrator/contract'
import { fastify, type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'

import { registerAccess } from './access.ts'
import { createAdmission } from './admission.ts'
import { type AnswersBySocket, createClientErrorHandler, refuseExpectation } from './client-errors.ts'
import { registerDocs } from './docs.ts'
import { answerError, logAnswers } from './answers.ts'
import { endWithServer } from './closing.ts'
import { parseJsonBody } from './json-body.ts'
import { RequestLog } from './request-log.ts'
import { traceRequests } from './request-tracing.ts'
import { UNTRACED } from './tracing.ts'
import { findUndeclared } from './undeclared.ts'
import type { Server, ServerOptions } from './server-types.ts'
import { serializerCompiler } from './responses.ts'
import { validatorCompiler } from './validation.ts'

const MEBIBYTE = 1024 * 1024
const MAX_HEADER_BYTES = 16 * 1024
/** Beyond the event streams that may be open, so that a full house still answers. */
const MAX_CONNECTIONS = 12_000

/**
 * A Fastify server that answers only who may ask, in the shapes of the contract: zod schemas check and
 * document, every error is an envelope, `/docs`, `/redoc` and `/openapi.json` are there. Routes are
 * added to what it returns; `listen` opens it.
 */
export async function createServer(o: ServerOptions): Promise<Server> {
  const logger: FastifyBaseLogger = o.logger
  const answers: AnswersBySocket = new WeakMap()
  const app: Server = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    childLoggerFactory: (parent, bindings) => new RequestLog(parent, bindings),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: o.trust_proxy,
    bodyLimit: o.body_limit_bytes ?? MEBIBYTE,
    requestTimeout: (o.request_timeout_seconds ?? 25) * 1000,
    keepAliveTimeout: 30_000,
    // While closing, requests that still arrive are served: the routes are up until the last one is answered.
    return503OnClosing: false,
    // A path parameter is as long as its schema says; the header limit bounds it anyway.
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    http: {
      headersTimeout: (o.header_timeout_seconds ?? 10) * 1000,
      // Node looks for late requests only this often; its default of 30 s would double the time limits.
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: MAX_HEADER_BYTES,
      // A missing Host is refused like a foreign one, with an envelope.
      requireHostHeader: false,
    },
    schemaController: { compilersFactory: { buildValidator: refuseSchema, buildSerializer: refuseSchema } },
    clientErrorHandler: createClientErrorHandler(answers),
    frameworkErrors: (cause, request, reply) => void refuseUnroutable(cause, request, reply),
  }).withTypeProvider<ZodTypeProvider>()
  app.server.maxConnections = MAX_CONNECTIONS
  app.server.on('checkExpectation', refuseExpectation)

  const admission = createAdmission(app, o)
  /** The router could not read the path: no hook has run, and still nobody learns more than they may. */
  async function refuseUnroutable(cause: Error, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const refusal = await admission.admit(request, reply).then(
      () => cause,
      (refused: unknown) => refused,
    )
    answerError(refusal, request, reply)
  }

  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    parseJsonBody(body),
  )
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(() => {
    throw new ServiceError('ROUTE_NOT_FOUND', 'There is nothing here; /docs lists what there is.')
  })
  app.addHook('onRequest', async (request, reply) => {
    answers.set(request.raw.socket, reply.raw)
    await admission.admit(request, reply)
    return admission.route(request, reply)
  })
  app.addHook('preValidation', (request, _reply, done) => done(findUndeclared(request)))
  traceRequests(app, o.tracing ?? UNTRACED)
  registerAccess(app, o.roles_required === true)
  endWithServer(app, o.streams)
  logAnswers(app, o.logger)
  await registerDocs(app, o)
  return app
}

/** Stands where Fastify would load compilers of its own, which nothing here would use: ours are set before a schema is met. */
function refuseSchema(): never {
  throw new Error('a route was added before the compilers were set')
}
