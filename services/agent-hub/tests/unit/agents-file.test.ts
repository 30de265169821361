import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { StartupError } from '@orchestrator/server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createAgentRegistry } from '../../src/acp/index.ts'
import { readAgentsFile } from '../../src/agents-file.ts'
import { temporaryFolder } from '../git-fixture.ts'

let folder: ReturnType<typeof temporaryFolder>

beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(async () => {
  await folder.remove()
})

function write(text: string): string {
  const path = join(folder.path, 'agents.yaml')
  writeFileSync(path, text)
  return path
}

const WHOLE = `
agents:
  - name: goose
    title: Goose
    program: goose
    arguments: [acp]
    env: { GOOSE_MODE: approve }
    pass_env: [OPENAI_API_KEY]
    home_files: { .config/goose/config.yaml: "telemetry: false" }
    mode: null
    mcp_transport: none
    model: { key_variable: OPENAI_API_KEY, url_variable: OPENAI_HOST, upstream: https://api.openai.com, header: authorization, scheme: Bearer, model_variable: OPENAI_MODEL }
    network: machine
    read_only: [/opt/goose]
    memory_mb: 400
    install: see https://block.github.io/goose
`

describe('agents.yaml', () => {
  it('is not needed', async () => {
    expect(await readAgentsFile(undefined, folder.path)).toEqual([])
  })

  it('needs no more of an agent than name and program', async () => {
    write('agents:\n  - name: mine\n    program: my-agent\n')
    expect(await readAgentsFile(undefined, folder.path)).toMatchObject([
      { name: 'mine', title: 'mine', program: 'my-agent', arguments: [], mcp_transport: 'http', network: 'none' },
    ])
  })

  it('takes every field', async () => {
    const [profile] = await readAgentsFile(write(WHOLE), '/')
    expect(profile).toMatchObject({
      title: 'Goose',
      env: { GOOSE_MODE: 'approve' },
      mcp_transport: null,
      models: [{ header: 'authorization', scheme: 'Bearer', model_variable: 'OPENAI_MODEL' }],
      network: 'machine',
      read_only: ['/opt/goose'],
      memory_mb: 400,
    })
    expect(profile?.pass_env).toContain('OPENAI_API_KEY')
  })

  it('adds agents to the registry, and takes the place of one of the same name', async () => {
    const bin = join(folder.path, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'my-agent'), '#!/bin/sh\n', { mode: 0o755 })
    const own_profiles = await readAgentsFile(
      write(
        `agents:\n  - { name: mine, program: my-agent }\n  - { name: gemini, program: ${bin}/my-agent, arguments: [x] }\n`,
      ),
      '/',
    )
    const options = { named: 'mine', env: {}, sandbox: 'off' as const, search_paths: [bin], own_profiles }
    const registry = await createAgentRegistry(options)
    expect(registry.getAgent('default').command).toEqual([join(bin, 'my-agent')])
    expect(registry.getAgent('gemini').command).toEqual([join(bin, 'my-agent'), 'x'])
    expect(registry.list().items.filter(({ name }) => name === 'gemini')).toHaveLength(1)
  })

  const agent = (more: string) => `agents:\n  - name: mine\n    program: p\n    ${more}\n`
  it.each([
    ['an unknown field', agent('colour: red'), 'agents[0].colour is not a known field'],
    ['no program', 'agents:\n  - name: mine\n', 'agents[0].program is required'],
    ['a wrong type', agent('arguments: --acp'), 'agents[0].arguments must be of type array'],
    ['an unknown transport', agent('mcp_transport: stdio'), 'agents[0].mcp_transport must be one of http, none'],
    ['an unknown network', agent('network: host'), 'agents[0].network must be one of none, machine'],
    ['the name of the demo agent', 'agents: [{ name: demo, program: p }]', 'agents[0].name is taken'],
    [
      'a name twice',
      'agents: [{ name: a, program: p }, { name: a, program: q }]',
      'agents must not name an agent twice',
    ],
    [
      'a relative program',
      'agents: [{ name: a, program: ./p }]',
      'agents[0].program must be a name or an absolute path',
    ],
    ['a secret of the hub', agent('pass_env: [AGENT_HUB_TOKEN]'), 'agents[0].pass_env[0] is a secret of the hub'],
    ['a file outside of HOME', agent('home_files: { ../x: y }'), 'agents[0].home_files.../x must be a path within'],
    ['no list', 'goose', 'The file must be of type object'],
    ['no YAML', 'agents:\n  - name: "mine\n', 'line 3: this is no YAML'],
  ])('with %s is one line that names file, field and remedy', async (_, text, reason) => {
    const path = write(text)
    const error = await readAgentsFile(path, '/').catch((problem: unknown) => problem)
    expect(error).toBeInstanceOf(StartupError)
    const { message } = error as StartupError
    expect(message).toContain(reason)
    expect(message).toContain(path)
    expect(message).toContain('Mend it')
    expect(message).not.toContain('\n')
  })

  it('that was named must be there', async () => {
    await expect(readAgentsFile(join(folder.path, 'none.yaml'), '/')).rejects.toThrow(
      /AGENTS_FILE: .*none\.yaml.*ENOENT/,
    )
  })
})
