import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

export interface Question {
  method?: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  signal?: AbortSignal | undefined
  /** Longest silence of the other side, in milliseconds, within the answer too; undefined waits for hours. */
  silence_ms: number | undefined
}

/** A connection must stand after this. */
const CONNECT_MS = 5_000
/** Where nobody speaks for hours, the system asks after the peer from so long on, each second. */
const KEEP_ALIVE_MS = 4_000

/**
 * Requests to one server, each over a connection of its own: where one connection has gone silent, those that
 * were kept beside it would be dead as well.
 */
export class Connections {
  readonly #base: string
  readonly #isSecure: boolean
  readonly #agent: HttpAgent

  /** `base`: the server's address, without a slash at its end. */
  constructor(base: string) {
    this.#base = base
    this.#isSecure = base.startsWith('https:')
    this.#agent = this.#isSecure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false })
  }

  /**
   * Resolves with the head of the answer, whose body is its stream. Follows no redirect. Rejects with the
   * system's error, or one with the code `ETIMEDOUT`.
   */
  ask(path: string, { method = 'GET', headers, body, signal, silence_ms }: Question): Promise<IncomingMessage> {
    // The types know the options of a request only; those of its socket are handed on.
    const options = {
      method,
      headers,
      agent: this.#agent,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      ...(signal && { signal }),
      ...(silence_ms !== undefined && { timeout: silence_ms }),
    }
    return new Promise((resolve, reject) => {
      const request = (this.#isSecure ? requestHttps : requestHttp)(this.#base + path, options)
      const connecting = setTimeout(() => request.destroy(timedOut()), CONNECT_MS)
      const connected = this.#isSecure ? 'secureConnect' : 'connect'
      request
        .once('socket', (socket) => socket.once(connected, () => clearTimeout(connecting)))
        .once('close', () => clearTimeout(connecting))
        .once('timeout', () => request.destroy(timedOut()))
        .once('response', resolve)
        .on('error', reject)
        .end(body)
    })
  }

  /** Breaks off what is open. */
  close(): void {
    this.#agent.destroy()
  }
}

function timedOut(): Error {
  return Object.assign(new Error('no sign of life'), { code: 'ETIMEDOUT' })
}
