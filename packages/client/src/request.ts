import { errorEnvelopeSchema, ServiceError } from '@orchestrator/contract'

/** A service that takes longer to finish its answer counts as gone. */
const ANSWER_TIMEOUT_MS = 30_000

export interface RequestOptions {
  body?: unknown
  query?: object | undefined
  signal?: AbortSignal
}

/** What this package needs of a zod schema. */
interface Parser<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error }
}

export interface Request {
  /** A JSON answer as `schema` promises it. */
  json<T>(
    schema: Parser<T>,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: RequestOptions,
  ): Promise<T>
  /** An answer without content. */
  nothing(method: 'PUT' | 'DELETE', path: string, options?: RequestOptions): Promise<void>
  bytes(path: string, options?: RequestOptions): Promise<Uint8Array<ArrayBuffer>>
  /** An open event stream; how long it lasts is the caller's affair. */
  stream(path: string, headers: Record<string, string>, options: RequestOptions): Promise<ReadableStream<Uint8Array>>
}

export function createRequest(service: { base_url: string; key?: string; fetch?: typeof fetch }): Request {
  const send = service.fetch ?? fetch
  const base = service.base_url.endsWith('/') ? service.base_url : `${service.base_url}/`

  function open(method: string, path: string, accept: Record<string, string>, options: RequestOptions) {
    const url = new URL(path, base)
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const headers = new Headers(accept)
    if (service.key !== undefined) headers.set('authorization', `Bearer ${service.key}`)
    if (options.body !== undefined) headers.set('content-type', 'application/json')
    return send(url, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    })
  }

  /** Runs one exchange; whatever breaks on the way becomes a ServiceError, the caller's own abort stays what it is. */
  async function exchange<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      if (error instanceof ServiceError || signal?.aborted) throw error
      throw new ServiceError('UNAVAILABLE', `The service at ${base} cannot be reached: ${describe(error)}.`, {
        cause: error,
      })
    }
  }

  const inTime = (signal: AbortSignal | undefined): AbortSignal => {
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  }

  return {
    json: (schema, method, path, options = {}) =>
      exchange(options.signal, async () => {
        const limited = { ...options, signal: inTime(options.signal) }
        const response = await open(method, path, { accept: 'application/json' }, limited)
        const text = await response.text()
        throwRefusal(text)
        // Not only of a 2xx: `/health` tells that it is unhealthy in the same document.
        const parsed = schema.safeParse(parseJson(text))
        if (parsed.success) return parsed.data
        throw notOurs(base, response, parsed.error)
      }),

    nothing: (method, path, options = {}) =>
      exchange(options.signal, async () => {
        const limited = { ...options, signal: inTime(options.signal) }
        const response = await open(method, path, { accept: 'application/json' }, limited)
        if (response.status === 204) return
        throwRefusal(await response.text())
        throw notOurs(base, response)
      }),

    bytes: (path, options = {}) =>
      exchange(options.signal, async () => {
        const response = await open('GET', path, { accept: '*/*' }, { ...options, signal: inTime(options.signal) })
        if (response.ok) return new Uint8Array(await response.arrayBuffer())
        throwRefusal(await response.text())
        throw notOurs(base, response)
      }),

    stream: (path, headers, options) =>
      exchange(options.signal, async () => {
        const response = await open('GET', path, { accept: 'text/event-stream', ...headers }, options)
        if (response.ok && response.body !== null) return response.body
        throwRefusal(await response.text())
        throw notOurs(base, response)
      }),
  }
}

function throwRefusal(text: string): void {
  const envelope = errorEnvelopeSchema.safeParse(parseJson(text))
  if (!envelope.success) return
  const { code, message, details } = envelope.data.error
  throw new ServiceError(code, message, details === undefined ? {} : { details })
}

/** Something answers, but it is not this API: another program on the port, a proxy, another version. */
function notOurs(base: string, response: Response, cause?: Error): ServiceError {
  const message = `What answers at ${base} (status ${response.status}) is not the service that was expected there.`
  return new ServiceError('UNAVAILABLE', message, { cause })
}

/** Undefined when it is not JSON: no schema of ours takes that. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** fetch says only "fetch failed"; the reason is one or two causes further down. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND') return 'there is no host of that name'
  return error.cause === undefined ? (code ?? error.message) : describe(error.cause)
}
