import type { Server } from './server-types.ts'
import { isWildcard } from './host-allow-list.ts'
import { StartupError } from './startup-error.ts'

export interface ListenOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  /** Names of the settings, for a person; default HOST and PORT. */
  variables?: { host: string; port: string }
}

/** Opens the server and tells its URL. A port or address that cannot be had is a StartupError. */
export async function listen(app: Server, o: ListenOptions): Promise<string> {
  const { host: hostVariable, port: portVariable } = o.variables ?? { host: 'HOST', port: 'PORT' }
  try {
    await app.listen({ host: o.host.replace(/^\[(.*)\]$/, '$1'), port: o.port })
  } catch (error) {
    const problem = sentenceFor(error, { ...o, hostVariable, portVariable })
    throw problem === undefined ? error : new StartupError(problem, { cause: error })
  }
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : o.port
  return `http://${urlHost(o.host)}:${port}`
}

function sentenceFor(error: unknown, o: { host: string; port: number; hostVariable: string; portVariable: string }) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${o.port} on ${o.host} is in use: stop what uses it, or set ${o.portVariable} to a free one.`
    case 'EACCES':
      return `Port ${o.port} on ${o.host} is not allowed for this user: set ${o.portVariable} to one above 1023.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${o.host} is not an address of this machine: set ${o.hostVariable} to one that is, such as 127.0.0.1.`
    default:
      return undefined
  }
}

/** How a person on this machine reaches it. */
function urlHost(host: string): string {
  if (isWildcard(host)) return 'localhost'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
