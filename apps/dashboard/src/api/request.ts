import type { ErrorCode, ErrorDetail, ErrorEnvelope } from '@orchestrator/contract'

import { learnServerTime } from './server-clock.ts'

/** `UNREACHABLE`: no answer came. `UNREADABLE`: an answer came that is not of this service. */
export type RequestErrorCode = ErrorCode | 'UNREACHABLE' | 'UNREADABLE'

/** A refusal of the service, or no answer from it; `message` is a sentence for a person. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: RequestErrorCode
  readonly details: ErrorDetail[]

  constructor(code: RequestErrorCode, message: string, details: ErrorDetail[] = [], cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.details = details
  }
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  signal?: AbortSignal
  /** Sent with a POST that starts or decides, so that a repeated one does it once. */
  idempotency_key?: string
}

/** Calls the service on the page's own origin; the shapes are those of the contract. Throws `RequestError`. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options)
  if (response.status === 204) return undefined as T
  return readJson<T>(response)
}

/** The text of an answer that is not JSON, such as an artifact's bytes. */
export async function requestText(path: string, signal?: AbortSignal): Promise<string> {
  const response = await send(path, signal === undefined ? {} : { signal })
  return response.text()
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' })
  if (options.body !== undefined) headers.set('content-type', 'application/json')
  if (options.idempotency_key !== undefined) headers.set('idempotency-key', options.idempotency_key)
  let response: Response
  try {
    response = await fetch(path, {
      method: options.method ?? 'GET',
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    })
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new RequestError('UNREACHABLE', 'The orchestrator does not answer. Check that it is running.', [], cause)
  }
  // What comes from the browser's cache tells the time of then.
  if (options.method !== undefined || !path.startsWith('/artifacts/')) learnServerTime(response.headers.get('date'))
  if (!response.ok) throw await readRefusal(response)
  return response
}

async function readRefusal(response: Response): Promise<RequestError> {
  const body = await readJson<Partial<ErrorEnvelope>>(response)
  if (body.error === undefined) return unreadable(response)
  return new RequestError(body.error.code, body.error.message, body.error.details)
}

async function readJson<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T
  } catch (cause) {
    throw unreadable(response, cause)
  }
}

const unreadable = (response: Response, cause?: unknown) =>
  new RequestError(
    'UNREADABLE',
    `Something between this page and the orchestrator answered with ${response.status} and no explanation.`,
    [],
    cause,
  )

export const isRefusal = (error: unknown, code: RequestErrorCode): error is RequestError =>
  error instanceof RequestError && error.code === code
