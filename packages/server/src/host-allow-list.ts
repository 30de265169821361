import { isIP } from 'node:net'

export interface HostName {
  /** Lower case; an IPv6 address without brackets. */
  name: string
  /** Undefined when the header names none. */
  port: number | undefined
}

const HOST_HEADER = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1']

/** True for the names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (name === 'localhost' || name === '::1') return true
  return isIP(name) === 4 && name.startsWith('127.')
}

/** True for an address that means every interface. */
export function isWildcard(host: string): boolean {
  return ['0.0.0.0', '::', '[::]'].includes(host)
}

/** A `Host` header, or undefined when it is not one (RFC 9110, section 7.2). */
export function parseHost(header: string): HostName | undefined {
  const match = HOST_HEADER.exec(header)
  if (match === null) return undefined
  const [, v6, name, port] = match
  if (v6 !== undefined && isIP(v6) !== 6) return undefined
  if (port !== undefined && Number(port) > 65_535) return undefined
  return { name: (v6 ?? name ?? '').toLowerCase(), port: port === undefined ? undefined : Number(port) }
}

/**
 * The defence against DNS rebinding: a page that points its own name at this machine sends that name as
 * `Host`. Allowed are the loopback names and the bound address with our own port, and the configured
 * names: `name` with any port, `name:port` with that one.
 */
export function createHostAllowList(o: { host: string; allowed_hosts: string[] }) {
  const own = new Set(LOOPBACK_NAMES)
  if (!isWildcard(o.host)) own.add(o.host.replace(/^\[(.*)\]$/, '$1').toLowerCase())
  const configured = o.allowed_hosts.map((entry) => parseHost(entry)).filter((entry) => entry !== undefined)

  return function allows(host: HostName, own_port: number): boolean {
    // Without a port the header means the default one of http.
    if (own.has(host.name) && (host.port ?? 80) === own_port) return true
    return configured.some(
      (entry) => entry.name === host.name && (entry.port === undefined || entry.port === host.port),
    )
  }
}
