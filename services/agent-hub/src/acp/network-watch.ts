import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'

import { closeServer, DOOR_PORTS, openDoor, type Door } from './door.ts'

const PROXY_URL = `http://127.0.0.1:${DOOR_PORTS.proxy}`
const NOT_PROXIED = 'localhost,127.0.0.1,::1'

/** Sends what heeds a proxy to one that refuses, so that the hub learns the address; the rest has no route anyway. */
export const PROXY_VARIABLES: Readonly<Record<string, string>> = {
  HTTP_PROXY: PROXY_URL,
  HTTPS_PROXY: PROXY_URL,
  ALL_PROXY: PROXY_URL,
  NO_PROXY: NOT_PROXIED,
  http_proxy: PROXY_URL,
  https_proxy: PROXY_URL,
  all_proxy: PROXY_URL,
  no_proxy: NOT_PROXIED,
  // Node looks at the others only when it is told so.
  NODE_USE_ENV_PROXY: '1',
}

export interface NetworkWatch {
  door: Door
  close(): Promise<void>
}

/** Refuses every request for another host, and tells which: `registry.npmjs.org:443`. */
export async function openNetworkWatch(onRefused: (address: string) => void): Promise<NetworkWatch> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    onRefused(hostOf(incoming.url ?? ''))
    outgoing.writeHead(403, { 'content-type': 'text/plain', connection: 'close' }).end(REFUSAL)
  })
  server.on('connect', (incoming, socket) => {
    socket.on('error', () => {})
    onRefused((incoming.url ?? '').slice(0, 300))
    socket.end(`HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n${REFUSAL}`)
  })
  const door = await openDoor(server, DOOR_PORTS.proxy)
  return { door, close: async () => closeServer(server, door) }
}

const REFUSAL = 'This agent has no network: it reaches its model and the tools of the hub only.\n'

function hostOf(url: string): string {
  if (!URL.canParse(url)) return url.slice(0, 300)
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`.slice(0, 300)
}

/**
 * How often something tried to reach an address that it has no route to, since the walls of that process stand: the
 * kernel counts for each network namespace. 0 where the kernel does not tell. `pid` is bubblewrap's own process,
 * which stays outside; its child is the first one within.
 */
export async function countUnroutable(pid: number): Promise<number> {
  const read = async (path: string) => readFile(path, 'utf8').catch(() => '')
  const inside = (await read(`/proc/${pid}/task/${pid}/children`)).split(' ')[0] ?? ''
  if (inside === '') return 0
  const [four, six] = await Promise.all([read(`/proc/${inside}/net/snmp`), read(`/proc/${inside}/net/snmp6`)])
  const [names = [], values = []] = four
    .split('\n')
    .flatMap((line) => (line.startsWith('Ip: ') ? [line.split(' ')] : []))
  const four_count = Number(values[names.indexOf('OutNoRoutes')] ?? 0)
  return four_count + Number(/^Ip6OutNoRoutes\s+(\d+)$/m.exec(six)?.[1] ?? 0)
}
