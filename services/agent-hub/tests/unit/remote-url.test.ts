import { describe, expect, it } from 'vitest'

import { isPublicAddress, parseRemote, remoteOptions, shown } from '../../src/workspace/remote-url.ts'

const settings = { credential_helper: undefined, allow_private: false, proxy: {} }

describe('the URL of a repository', () => {
  it.each([
    ['/srv/shop.git', { protocol: 'file', url: '/srv/shop.git' }],
    ['file:///srv/shop.git', { protocol: 'file', url: '/srv/shop.git' }],
    ['https://example.com/team/shop.git', { protocol: 'https', host: 'example.com', port: 443 }],
    ['https://example.com:8443/shop', { protocol: 'https', host: 'example.com', port: 8443 }],
    ['ssh://git@example.com:2222/shop.git', { protocol: 'ssh', host: 'example.com', port: 2222 }],
    ['git@example.com:team/shop.git', { protocol: 'ssh', url: 'git@example.com:team/shop.git', host: 'example.com' }],
    ['example.com:shop.git', { protocol: 'ssh', host: 'example.com', port: 22 }],
  ])('%s is taken', (text, remote) => {
    expect(parseRemote(text)).toMatchObject(remote)
  })

  it('may be a relative path where it is one of a repository', () => {
    expect(parseRemote('../origin.git', '/srv/shop')).toEqual({ protocol: 'file', url: '/srv/origin.git' })
    expect(() => parseRemote('../origin.git')).toThrow('neither a path nor')
  })

  it.each([
    'ext::sh -c touch% /tmp/canary',
    'ext::sh',
    'fd::17',
    'http://example.com/shop.git',
    'git://example.com/shop.git',
    'ftp://example.com/shop.git',
    'javascript://example.com/%0aalert(1)',
    'https://user:secret@example.com/shop.git',
    'https://token@example.com/shop.git',
    'ssh://user:secret@example.com/shop.git',
    'ssh://-oProxyCommand=touch%20canary/shop',
    'ssh://git@-oProxyCommand=canary/shop',
    '-oProxyCommand=canary:shop',
    'git@-oProxyCommand=canary:shop',
    'example.com:--upload-pack=touch',
    '--upload-pack=touch canary',
    '-u',
    'shop',
    '',
    'https://',
    'https://example.com/a b',
    'https://example.com/a\nb',
    'file://elsewhere/srv/shop.git',
  ])('%j is refused', (text) => {
    expect(() => parseRemote(text)).toThrow(expect.objectContaining({ name: 'WorkspaceError' }))
  })

  it('never shows a name, a password or a query', () => {
    expect(shown('https://user:secret@example.com/shop.git?token=secret#x')).toBe('https://example.com/shop.git')
    expect(shown('https://a@b:secret@example.com/x')).not.toContain('user')
    expect(() => parseRemote('https://user:secret@example.com/x')).toThrow(expect.not.stringContaining('secret'))
  })
})

describe('an address', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    '2001::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'ff02::1',
    'not-an-address',
    '',
  ])('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
    '%s is',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )
})

describe('what git is told', () => {
  it.each([
    'https://127.0.0.1/x',
    'https://localhost:8001/x',
    'https://0x7f000001/x',
    'https://2130706433/x',
    'https://017700000001/x',
    'https://127.1/x',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[fe80::1]/x',
    'https://169.254.169.254/latest/meta-data',
    'ssh://git@10.0.0.1/x',
    'git@127.0.0.1:x',
  ])('does not lead to %s', async (url) => {
    await expect(remoteOptions(parseRemote(url), settings)).rejects.toThrow('HUB_PRIVATE_REMOTES=on')
  })

  it('pins the address that was looked up, and follows nobody elsewhere', async () => {
    const told = await remoteOptions(parseRemote('https://127.0.0.1:8443/x'), {
      ...settings,
      allow_private: true,
      credential_helper: 'store --file=/run/git',
    })
    expect(told.config).toEqual([
      'protocol.https.allow=always',
      'http.followRedirects=false',
      'http.lowSpeedLimit=100',
      'http.lowSpeedTime=60',
      'http.curloptResolve=127.0.0.1:8443:127.0.0.1',
      'credential.helper=store --file=/run/git',
    ])
    expect(told.env).toEqual({})
    expect(await remoteOptions(parseRemote('/srv/shop'), settings)).toEqual({ config: [], env: {}, ssh: false })
  })

  it('goes by the proxy of the machine, which alone may know the host, and still not to a private address', async () => {
    const proxy = { https_proxy: 'http://kim:secret@proxy.example:3128', no_proxy: '.local' }
    const proxied = { ...settings, proxy }
    const told = await remoteOptions(parseRemote('https://git.invalid/x'), proxied)
    expect(told.env).toEqual(proxy)
    expect(told.config.join()).not.toMatch(/secret|curloptResolve/)
    await expect(remoteOptions(parseRemote('https://git.invalid/x'), settings)).rejects.toThrow('is not known')
    await expect(remoteOptions(parseRemote('https://10.0.0.1/x'), proxied)).rejects.toThrow('HUB_PRIVATE_REMOTES=on')
  })
})
