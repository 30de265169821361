import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { createMirror } from '../../services/agent-hub/src/workspace/mirror.ts'

/** Ways to write an address of this machine, or of what only it can reach. */
const HOSTS = [
  '127.0.0.1',
  'localhost',
  'LOCALHOST',
  'localhost.',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '017700000001',
  '0177.0.0.1',
  '127.0.0.1.',
  '%31%32%37.0.0.1',
  '127。0。0。1',
  '①②⑦.⓪.⓪.①',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[fd00::1]',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
]
/** Other ways to reach somebody, or something, by what is written where a URL should be. */
const OTHERS = (port: number, canary: string) => [
  `http://127.0.0.1:${port}/x`,
  `git://127.0.0.1:${port}/x`,
  `ftp://127.0.0.1:${port}/x`,
  `ftps://127.0.0.1:${port}/x`,
  `gopher://127.0.0.1:${port}/_x`,
  `dict://127.0.0.1:${port}/x`,
  `ldap://127.0.0.1:${port}/x`,
  `git+ssh://127.0.0.1:${port}/x`,
  `ssh+git://127.0.0.1:${port}/x`,
  `https://example.com@127.0.0.1:${port}/x`,
  `https://example.com:x@127.0.0.1:${port}/x`,
  `https://127.0.0.1:${port}#@example.com/x`,
  `https://127.0.0.1:${port}?@example.com/x`,
  `https://127.0.0.1:${port}\\@example.com/x`,
  `https:127.0.0.1:${port}/x`,
  `https:/127.0.0.1:${port}/x`,
  `//127.0.0.1:${port}/x`,
  `\\\\127.0.0.1\\x`,
  `ext::sh -c touch% ${canary}`,
  `ext::touch ${canary}`,
  'fd::3',
  `ssh://-oProxyCommand=touch%20${canary}/x`,
  `-oProxyCommand=touch ${canary}:x`,
  `--upload-pack=touch ${canary}`,
  `file://127.0.0.1:${port}/x`,
  'file:///proc/self/environ',
  'file:///etc/passwd',
  '/etc',
  '/proc/self/root/etc',
  `https://127.0.0.1:${port}/x\r\nHost: example.com`,
  `https://\t127.0.0.1:${port}/x`,
]

describe('the URL of a repository', () => {
  let folder: string
  let servers: Server[]
  let port: number
  let hits = 0
  const watch = (message: unknown) => void started.push((message as { process: { spawnfile: string } }).process)
  const started: { spawnfile: string }[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'repository-urls-'))
    const listen = async (host: string, at: number) => {
      const server = createServer((socket) => {
        hits += 1
        socket.destroy()
      }).listen(at, host)
      await once(server, 'listening')
      return server
    }
    const first = await listen('127.0.0.1', 0)
    port = (first.address() as AddressInfo).port
    servers = [
      first,
      ...(await listen('::1', port).then(
        (server) => [server],
        () => [],
      )),
    ]
    subscribe('child_process', watch)
  })
  afterAll(async () => {
    unsubscribe('child_process', watch)
    for (const server of servers) server.close()
    await rm(folder, { recursive: true, force: true })
  })

  const open = (url: string) =>
    createMirror({
      name: 'shop',
      url,
      data_dir: folder,
      settings: { credential_helper: undefined, allow_private: false, proxy: {} },
    })
      .open()
      .then(
        () => 'opened',
        (error: Error) => error.name,
      )

  it('reaches nobody but the public, however it is written', async () => {
    const canary = join(folder, 'canary')
    const urls = [
      ...HOSTS.flatMap((host) => [
        `https://${host}:${port}/x`,
        `https://${host}/x.git`,
        `ssh://git@${host}:${port}/x`,
        `git@${host}:x`,
      ]),
      ...OTHERS(port, canary),
    ]
    expect(urls.length).toBeGreaterThan(150)
    const answers: [string, string][] = []
    for (const url of urls) answers.push([url, await open(url)])
    expect(answers.filter(([, answer]) => answer !== 'WorkspaceError')).toEqual([])
    expect(hits).toBe(0)
    expect(existsSync(canary)).toBe(false)
    // Git itself was asked only about files of this machine, which are none of a repository.
    const programs = started.map(({ spawnfile }) => spawnfile)
    expect([...new Set(programs)]).toEqual(['git'])
    expect(programs.length).toBeLessThanOrEqual(12)
  }, 240_000)
})
