import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { WorkspaceError } from './workspace-error.ts'

/** A repository somewhere else, in one of the three ways in which git may reach one. */
export type Remote =
  | { protocol: 'file'; url: string }
  | { protocol: 'https' | 'ssh'; url: string; host: string; port: number }

/** How git may reach others, as the operator decided. */
export interface RemoteSettings {
  /** What git asks for names and passwords, such as `store --file=/run/secrets/git`; undefined: nobody. */
  credential_helper: string | undefined
  /** Whether hosts may have addresses that are not public. */
  allow_private: boolean
  /** What the hub was started with of `https_proxy` and `no_proxy`; empty: `https` goes there by itself. */
  proxy: Readonly<Record<string, string>>
}

const SSH_USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/
const HOST = /^[A-Za-z0-9][A-Za-z0-9.-]*$/
/** `git@example.com:team/shop.git`. */
const SCP = /^(?:([A-Za-z0-9_][A-Za-z0-9._-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)([^\s:]{1,500})$/

/**
 * A path, `file:`, `https:` or `ssh:` URL, or `user@host:path`; a relative path is one of `base`. Throws a
 * WorkspaceError for everything else: other protocols run programs or send in the clear, and a password in a URL
 * would end in logs and in process lists.
 */
export function parseRemote(text: string, base?: string): Remote {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f]/.test(text))
    throw new WorkspaceError('The URL must hold neither blanks nor control characters.')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseUrl(text)
  if (isAbsolute(text)) return { protocol: 'file', url: text }
  const [, user, host = '', path = ''] = SCP.exec(text) ?? []
  if (path !== '' && !path.startsWith('-')) {
    return { protocol: 'ssh', url: `${user === undefined ? '' : `${user}@`}${host}:${path}`, host, port: 22 }
  }
  if (base !== undefined && /^\.{1,2}(\/|$)/.test(text)) return { protocol: 'file', url: resolve(base, text) }
  throw new WorkspaceError(`${shown(text)} is neither a path nor a file, https or ssh URL of a repository.`)
}

function parseUrl(text: string): Remote {
  const url = URL.parse(text)
  if (url === null) throw new WorkspaceError(`${shown(text)} is no URL.`)
  const { protocol, hostname, username, password } = url
  switch (protocol) {
    case 'file:':
      return { protocol: 'file', url: pathOf(url) }
    case 'https:':
      if (username !== '' || password !== '') {
        throw new WorkspaceError(
          `${shown(text)} has a name or password in it, which would end in logs: take it out, and set HUB_CREDENTIAL_HELPER to what git shall ask.`,
        )
      }
      return { protocol: 'https', url: url.href, host: hostname, port: Number(url.port || 443) }
    case 'ssh:':
      if (password !== '' || (username !== '' && !SSH_USER.test(username)) || !HOST.test(hostname)) {
        throw new WorkspaceError(`${shown(text)} is no ssh URL of the form ssh://user@host/path.`)
      }
      return { protocol: 'ssh', url: url.href, host: hostname, port: Number(url.port || 22) }
    default:
      throw new WorkspaceError(`${shown(text)}: only file, https and ssh URLs are taken.`)
  }
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw new WorkspaceError(`${shown(url.href)} names no file on this machine.`, { cause: error })
  }
}

/** For logs and sentences: without name, password and query. */
export function shown(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const clean = text.replaceAll(/[\u0000-\u0020\u007f-\u009f]/g, ' ').slice(0, 300)
  return clean.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1').replace(/[?#].*$/, '')
}

/** What is not on the public internet: RFC 6890 and its like. */
const PRIVATE = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  PRIVATE.addSubnet(network, bits)
}

/** Of IPv6 only what is handed out for the public, without the ranges that carry an IPv4 address inside. */
const PUBLIC_V6 = new BlockList()
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6')
const NOT_PUBLIC_V6 = new BlockList()
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  NOT_PUBLIC_V6.addSubnet(network, bits, 'ipv6')
}

export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !PRIVATE.check(address)
    case 6:
      return PUBLIC_V6.check(address, 'ipv6') && !NOT_PUBLIC_V6.check(address, 'ipv6')
    default:
      return false
  }
}

/** How git reaches a remote, beside what holds for every call. */
export interface RemoteOptions {
  config: string[]
  /** Not in the configuration, which is in the list of processes: a proxy's URL may hold a password. */
  env: Readonly<Record<string, string>>
  ssh: boolean
}

/**
 * The host is looked up here, refused when any of its addresses is private, and pinned, so that a name cannot lead
 * elsewhere a moment later; a name that only the proxy knows is the proxy's to refuse. Throws a WorkspaceError.
 */
export async function remoteOptions(remote: Remote, settings: RemoteSettings): Promise<RemoteOptions> {
  if (remote.protocol === 'file') return { config: [], env: {}, ssh: false }
  if (remote.protocol === 'ssh') {
    await findAddress(remote, settings)
    const config = ['protocol.ssh.allow=always', 'core.sshCommand=ssh -oBatchMode=yes -oConnectTimeout=15']
    return { config, env: {}, ssh: true }
  }
  const { host, port } = remote
  const { credential_helper, proxy } = settings
  const is_proxied = proxy['https_proxy'] !== undefined
  const address = await findAddress(remote, settings).catch((error: unknown) => {
    if (is_proxied && error instanceof UnknownHostError) return undefined
    throw error
  })
  const config = [
    'protocol.https.allow=always',
    'http.followRedirects=false',
    'http.lowSpeedLimit=100',
    'http.lowSpeedTime=60',
    ...(address === undefined ? [] : [`http.curloptResolve=${host}:${port}:${address}`]),
    ...(credential_helper === undefined ? [] : [`credential.helper=${credential_helper}`]),
  ]
  return { config, env: proxy, ssh: false }
}

class UnknownHostError extends WorkspaceError {}

async function findAddress(
  { host, url }: Extract<Remote, { host: string }>,
  { allow_private }: RemoteSettings,
): Promise<string> {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  const found = await lookup(bare, { all: true }).catch((error: unknown) => {
    throw new UnknownHostError(`The host of ${shown(url)} is not known (${codeOf(error)}).`, { cause: error })
  })
  const hidden = found.find(({ address }) => !isPublicAddress(address))
  if (hidden !== undefined && !allow_private) {
    throw new WorkspaceError(
      `${shown(url)} leads to ${hidden.address}, which is no public address. Where that is meant to be, set HUB_PRIVATE_REMOTES=on.`,
    )
  }
  const [first] = found
  if (first === undefined) throw new WorkspaceError(`The host of ${shown(url)} has no address.`)
  return first.family === 6 ? `[${first.address}]` : first.address
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error))
