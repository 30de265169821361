import { describe, expect, it } from 'vitest'

import { buildSandboxArguments, describeSandboxState, listReadOnly } from '../../src/acp/sandbox.ts'

const plan = {
  roots: [
    { path: '/bin', link: 'usr/bin' },
    { path: '/lib64', link: null },
  ],
  read_only: ['/opt/agents/node_modules'],
  writable: ['/data/home', '/data/copy'],
  cwd: '/data/copy',
  share_network: false,
}

/** The arguments after each occurrence of an option. */
function valuesOf(args: readonly string[], option: string, count: number): string[][] {
  return args.flatMap((argument, index) => (argument === option ? [args.slice(index + 1, index + 1 + count)] : []))
}

describe('buildSandboxArguments', () => {
  const args = buildSandboxArguments(plan)

  it('shares nothing, and the network only when it must', () => {
    expect(args).toEqual(
      expect.arrayContaining(['--die-with-parent', '--new-session', '--unshare-pid', '--unshare-ipc', '--unshare-uts']),
    )
    expect(args).toContain('--unshare-net')
    expect(buildSandboxArguments({ ...plan, share_network: true })).not.toContain('--unshare-net')
    expect(valuesOf(args, '--cap-drop', 1)).toEqual([['ALL']])
  })

  it('lets the agent write its HOME and the working copy, and nothing else', () => {
    expect(valuesOf(args, '--bind', 2)).toEqual([
      ['/data/home', '/data/home'],
      ['/data/copy', '/data/copy'],
    ])
  })

  it('shows an allow-list of the machine: never its root, its homes, its sockets', () => {
    const shown = [...valuesOf(args, '--ro-bind', 2), ...valuesOf(args, '--ro-bind-try', 2)]
    expect(shown).toContainEqual(['/opt/agents/node_modules', '/opt/agents/node_modules'])
    expect(shown).toContainEqual(['/lib64', '/lib64'])
    for (const [from, to] of shown) {
      expect(to).toBe(from)
      expect(from).toMatch(/^\/(usr|lib64|opt\/agents\/node_modules|etc\/[a-z.-]+)$/)
    }
    expect(shown.flat()).not.toContain('/etc/shadow')
    expect(valuesOf(args, '--symlink', 2)).toEqual([['usr/bin', '/bin']])
  })

  it('empties /tmp before it binds what lies below it, and ends with the command', () => {
    expect(args.indexOf('--tmpfs')).toBeLessThan(args.indexOf('/opt/agents/node_modules'))
    expect(args.slice(-3)).toEqual(['--chdir', '/data/copy', '--'])
  })
})

describe('listReadOnly', () => {
  it.each([
    ['/opt/x/node_modules/@a/b/node_modules/c/bin/c.js', '/opt/x/node_modules'],
    ['/home/me/.local/agent/bin/agent', '/home/me/.local/agent/bin'],
  ])('%s needs %s', async (program, folder) => {
    expect(await listReadOnly(program)).toContain(folder)
  })

  it('names nothing below /usr, which is shown anyway', async () => {
    const shown = await listReadOnly('/usr/local/lib/node_modules/x/bin.js')
    expect(shown.filter((path) => path.startsWith('/usr'))).toEqual([])
  })
})

describe('describeSandboxState', () => {
  const agent = {
    name: 'a',
    title: 'A',
    command: ['/a'] as const,
    env: {},
    home_files: {},
    mode: null,
    mcp_transport: null,
    memory_mb: 100,
    install: null,
  }
  const walls = { program: '/usr/bin/bwrap', read_only: [] }
  const held = { ...agent, name: 'b', sandbox: { ...walls, network: 'none' as const } }
  const open = { ...agent, sandbox: { ...walls, network: 'machine' as const } }
  const bubblewrap = { kind: 'bubblewrap', program: '/usr/bin/bwrap' } as const

  it('says what stands', () => {
    expect(describeSandboxState({ kind: 'off' }, [agent])).toEqual([expect.stringContaining('HUB_SANDBOX=off')])
    expect(describeSandboxState(bubblewrap, [open, held])).toEqual([
      'As agents.yaml says, these agents are on the network of this machine: a.',
    ])
    expect(describeSandboxState(bubblewrap, [held])).toEqual([])
    expect(describeSandboxState({ kind: 'off' }, [])).toEqual([])
  })
})
