import { parseHost } from './host-allow-list.ts'

/** The headers by which a browser says where a request comes from. */
export interface Provenance {
  method: string
  origin: string | undefined
  sec_fetch_site: string | undefined
  sec_fetch_mode: string | undefined
  sec_fetch_dest: string | undefined
}

const DEFAULT_PORTS: Record<string, number> = { 'http:': 80, 'https:': 443 }

/**
 * Whether a request may come from where a browser says it does: from our own pages, from the address
 * bar, or from no browser at all. The one thing another site may do is link here (a top-level GET).
 *
 * @param own_hosts `Host` values that were found on the allow-list before; without that, comparing with them proves nothing
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isSameOrigin(from: Provenance, own_hosts: string[]): boolean {
  if (from.origin !== undefined && !own_hosts.some((host) => isOriginOf(from.origin ?? '', host))) return false
  if (from.sec_fetch_site === undefined) return true
  if (from.sec_fetch_site === 'same-origin' || from.sec_fetch_site === 'none') return true
  const isRead = from.method === 'GET' || from.method === 'HEAD'
  return isRead && from.sec_fetch_mode === 'navigate' && from.sec_fetch_dest === 'document'
}

/** Behind a proxy that ends TLS the scheme differs from ours, so it only decides which port is meant when none is named. */
function isOriginOf(origin: string, host_header: string): boolean {
  const host = parseHost(host_header)
  const match = /^(https?:)\/\/([^/?#@\\]+)$/.exec(origin)
  const named = parseHost(match?.[2] ?? '')
  const default_port = DEFAULT_PORTS[match?.[1] ?? '']
  if (host === undefined || named === undefined) return false
  return host.name === named.name && (host.port ?? default_port) === (named.port ?? default_port)
}
