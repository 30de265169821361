import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import { ServiceError } from '@orchestrator/contract'

import { errorStatus, statusText, toEnvelope } from './errors.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Answers, in progress, by connection: once one has begun, nothing else may be written there. */
export type AnswersBySocket = WeakMap<Socket, ServerResponse>

/** What never became a request: HTTP that cannot be parsed, headers too large, or a client too slow. */
export function createClientErrorHandler(answers: AnswersBySocket) {
  return function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const answer = answers.get(socket)
    const hasBegun = answer !== undefined && answer.headersSent && !answer.writableFinished
    if (error.code === 'ECONNRESET' || !socket.writable || hasBegun) {
      socket.destroy()
      return
    }
    socket.end(rawAnswer(toRefusal(error.code)), () => socket.destroy())
  }
}

function toRefusal(code: string | undefined): ServiceError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ServiceError('REQUEST_TIMEOUT', 'The request took too long to arrive.')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ServiceError('MALFORMED_REQUEST', 'The headers of the request are too large.')
  return new ServiceError('MALFORMED_REQUEST', 'The request is not valid HTTP.')
}

/** `Expect:` with anything but `100-continue`, which Node would answer by itself with a bare 417. */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const refusal = new ServiceError('MALFORMED_REQUEST', 'Of "Expect" this service knows only 100-continue.')
  const { status, headers, body } = answerOf(refusal)
  response.writeHead(status, headers).end(body)
}

function answerOf(refusal: ServiceError) {
  const body = JSON.stringify(toEnvelope(refusal))
  const headers: Record<string, string> = {
    ...SECURITY_HEADERS,
    'x-request-id': randomUUID(),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  return { status: errorStatus(refusal.code), headers, body }
}

function rawAnswer(refusal: ServiceError): string {
  const { status, headers, body } = answerOf(refusal)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${statusText(status)}`, ...lines, '', body].join('\r\n')
}
