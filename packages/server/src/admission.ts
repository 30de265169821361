import { ServiceError } from '@orchestrator/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { checkRole, checkScope } from './access.ts'
import { createHostAllowList, parseHost } from './host-allow-list.ts'
import { isSameOrigin } from './same-origin.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import type { Actor, Server, ServerOptions } from './server-types.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/**
 * What every request passes before its route, in this order: the host it is meant for, the site it comes
 * from, who asks, whether there is such a route, whether its body is JSON. Who may not ask is not told
 * what exists.
 */
export function createAdmission(app: Server, o: ServerOptions) {
  const allows = createHostAllowList(o)
  const actors = new WeakMap<FastifyRequest, Actor>()
  app.decorateRequest('actor', {
    getter() {
      const actor = actors.get(this)
      if (actor === undefined) throw new Error(`${this.method} ${this.url} is public: it has no actor`)
      return actor
    },
  })

  function checkHost(request: FastifyRequest): void {
    const header = request.headers.host ?? ''
    const host = parseHost(header)
    const own_port = request.raw.socket.localPort ?? o.port
    if (
      isNamedOnce(request.raw.rawHeaders) &&
      host !== undefined &&
      allows(host, own_port) &&
      isForHost(request.raw.url, header)
    )
      return
    const named = host === undefined ? 'The request names no host' : `This service does not answer for ${header}`
    throw new ServiceError('MISDIRECTED_HOST', `${named}. If that name is meant to lead here, add it to ALLOWED_HOSTS.`)
  }

  function checkOrigin(request: FastifyRequest): void {
    const { headers } = request
    const own_hosts = [headers.host ?? '']
    const [forwarded] = o.trust_proxy ? (request.raw.headersDistinct['x-forwarded-host'] ?? []) : []
    const forwardedHost = parseHost(forwarded ?? '')
    if (forwarded !== undefined && forwardedHost !== undefined && allows(forwardedHost, o.port))
      own_hosts.push(forwarded)
    const from = {
      method: request.method,
      origin: headers.origin,
      sec_fetch_site: single(headers['sec-fetch-site']),
      sec_fetch_mode: single(headers['sec-fetch-mode']),
      sec_fetch_dest: single(headers['sec-fetch-dest']),
    }
    if (!isSameOrigin(from, own_hosts))
      throw new ServiceError('FORBIDDEN', 'Requests from pages of other sites are refused.')
  }

  async function identify(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { config } = request.routeOptions
    if (config?.public === true) return
    const actor = await o.authenticate(request, reply)
    actors.set(request, actor)
    checkRole(actor, config?.roles)
    if (!request.is404) checkScope(actor, config?.scope)
  }

  function allowedMethods(request: FastifyRequest): string[] {
    const url = request.raw.url ?? '/'
    const found = METHODS.filter((method) => {
      const route = app.findRoute({ method, url })
      // A wildcard serves files: every path matches it, which does not make every path a known one.
      return route !== null && route !== undefined && !('*' in (route.params ?? {}))
    })
    return found.length === 0 ? [] : [...found, 'OPTIONS']
  }

  function answerUnknown(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const methods = allowedMethods(request)
    if (methods.length === 0) {
      throw new ServiceError('ROUTE_NOT_FOUND', `There is nothing at ${pathOf(request)}; /docs lists what there is.`)
    }
    reply.header('allow', methods.join(', '))
    if (request.method === 'OPTIONS') return reply.code(204).send()
    throw new ServiceError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; use ${methods.join(', ')}.`)
  }

  return {
    /** Headers for every answer, then host, origin and identity. Also for what the router itself cannot read. */
    async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      reply.headers(SECURITY_HEADERS).header('x-request-id', request.id)
      checkHost(request)
      checkOrigin(request)
      await identify(request, reply)
    },
    /** Undefined when the request may go on to its route. */
    route(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
      if (request.is404) return answerUnknown(request, reply)
      checkBodyType(request)
      return undefined
    },
  }
}

/** Exactly JSON: a page of another site can send `text/plain` without asking, and a form cannot send this. */
function checkBodyType(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const {
    'content-type': type,
    'content-encoding': encoding,
    'content-length': length,
    'transfer-encoding': transfer,
  } = request.headers
  const hasBody = transfer !== undefined || (length !== undefined && length !== '0')
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'Compressed bodies are not accepted; send plain application/json.')
  }
  if (type === undefined ? hasBody : !JSON_TYPE.test(type)) {
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.')
  }
}

/** A request line may carry a whole URL (RFC 9112, section 3.2.2); its host must be the one that was checked. */
function isForHost(url: string | undefined, host_header: string): boolean {
  if (url === undefined || url.startsWith('/') || url === '*') return true
  return URL.canParse(url) && new URL(url).host === new URL(`http://${host_header}`).host
}

/** Node keeps the first of several `Host` headers, and something before us may have gone by another. */
function isNamedOnce(raw_headers: string[]): boolean {
  return (
    raw_headers.filter((name, at) => at % 2 === 0 && name.length === 4 && name.toLowerCase() === 'host').length === 1
  )
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '/').split('?', 1)[0]?.slice(0, 200) ?? '/'
}
