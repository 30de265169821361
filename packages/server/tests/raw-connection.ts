import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface RawAnswer {
  status: number
  headers: Map<string, string>
  body: string
}

/** Sends bytes as they are and reads until the server hangs up. The request should ask for that: `Connection: close`. */
export async function sendRaw(port: number, request: string | Uint8Array): Promise<RawAnswer> {
  const socket = await openRaw(port)
  socket.write(request)
  return parseAnswer(await text(socket))
}

export async function openRaw(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

export function parseAnswer(answer: string): RawAnswer {
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s)
  const [status_line = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const [name = '', value = ''] = line.split(/: (.*)/s)
    return [name.toLowerCase(), value]
  })
  return { status: Number(status_line.split(' ')[1]), headers: new Map(headers), body }
}

/** A request in HTTP/1.1 text; headers go out in the order and case given. */
export function rawRequest(line: string, headers: Record<string, string>, body = ''): string {
  const all = { ...headers, Connection: 'close' }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`${line} HTTP/1.1`, ...lines, '', body].join('\r\n')
}
