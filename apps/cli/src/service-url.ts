const EVERYWHERE = new Set(['', '0.0.0.0', '::', '[::]'])

/** How to reach, from this machine, a service that binds to `host`. */
export function hostFor(host: string | undefined): string {
  if (host === undefined || EVERYWHERE.has(host)) return '127.0.0.1'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

/** The same for an address that a service told: without a slash at its end. */
export function reachableUrl(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  return `${protocol}//${hostFor(hostname)}${port === '' ? '' : `:${port}`}`
}
