import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'

import type { Role } from '@orchestrator/contract'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Logger } from 'pino'

import type { OpenStreams, OpenStreamsOptions } from './open-streams.ts'
import type { Tracing } from './tracing.ts'

/** Who makes a request. `local` is anybody on this machine while the service is bound to loopback without keys. */
export interface Actor {
  name: string
  role: Role | 'local'
  key_id: string | null
  /** The workspaces that the key is for; null: all of them. */
  workspaces: readonly string[] | null
}

/**
 * What a route has for a key of single workspaces: the `workflow`, `feature` or `artifact` that its path names,
 * lists and bodies that it limits by itself (`limited`), or what is of no workspace (`shared`).
 */
export type RouteScope = 'workflow' | 'feature' | 'artifact' | 'limited' | 'shared'

export interface ServerOptions {
  name: string
  title: string
  version: string
  description: string
  logger: Logger
  /** Beside localhost, 127.0.0.1 and [::1]: `name` (any port) or `name:port`. */
  allowed_hosts: string[]
  host: string
  port: number
  trust_proxy: boolean
  /** Default 1 MiB. */
  body_limit_bytes?: number
  /** How long the headers of a request may take; default 10. */
  header_timeout_seconds?: number
  /** How long a whole request may take to arrive; default 25. */
  request_timeout_seconds?: number
  /** Tells who asks, or throws UNAUTHORIZED or FORBIDDEN. Runs before every route that is not public, and before "not found". */
  authenticate: (request: FastifyRequest, reply: FastifyReply) => Promise<Actor>
  /** How many event streams may be open. */
  streams?: OpenStreamsOptions
  /** Where a span of each request goes. */
  tracing?: Tracing
  /** Every route must say who may ask, by `public` or `roles`, or the server does not start. */
  roles_required?: boolean
}

/** One route as it was registered, for whoever checks them all. */
export interface RouteAccess {
  method: string
  url: string
  /** `public`, the roles that may ask, or undefined where any actor may. */
  access: 'public' | readonly Role[] | undefined
  /** Undefined: a key of single workspaces may not ask. */
  scope: RouteScope | undefined
}

/** Fastify, with types from zod schemas. */
export type Server = FastifyInstance<HttpServer, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Open to everybody: no authentication. The default is that there is one. */
    public?: boolean
    /** Who may ask, beside `local`. A route whose body decides (a trigger) looks further by itself. */
    roles?: readonly Role[]
    /** What there is for a key of single workspaces; a route that does not say is closed to them. */
    scope?: RouteScope
  }
  interface FastifyRequest {
    /** Who asks. Reading it on a public route is a programming error and throws. */
    readonly actor: Actor
    /** W3C trace context for what this request leads to; undefined when nobody traces. */
    readonly traceparent: string | undefined
  }
  interface FastifyInstance {
    /** The event streams that are open here; ended when the server closes. */
    readonly open_streams: OpenStreams
    /** Every route there is, hidden ones included; complete once the server is ready. */
    listAccess(): RouteAccess[]
  }
}
