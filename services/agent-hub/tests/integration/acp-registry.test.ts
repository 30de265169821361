import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createAgentRegistry } from '../../src/acp/index.ts'
import { LAUNCH_PROFILES } from '../../src/acp/profiles.ts'

let folder: string
let bin: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-'))
  bin = join(folder, 'node_modules/.bin')
  await mkdir(bin, { recursive: true })
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** A package as npm lays it out, with its program in `.bin`. */
async function installPackage(name: string, program: string, version: string): Promise<string> {
  const root = join(folder, 'node_modules', name)
  await mkdir(join(root, 'dist'), { recursive: true })
  await writeFile(join(root, 'package.json'), JSON.stringify({ name, version }))
  await writeFile(join(root, 'dist/cli.js'), '#!/usr/bin/env node\n')
  await chmod(join(root, 'dist/cli.js'), 0o755)
  await symlink(join(root, 'dist/cli.js'), join(bin, program))
  return join(root, 'dist/cli.js')
}

/** Keys of two agents, and no sandbox to hold them. */
const nothing = { named: undefined, env: { GEMINI_API_KEY: 'k', OPENAI_API_KEY: 'k' }, sandbox: 'off' as const }

describe('createAgentRegistry', () => {
  it('serves the demo agent until somebody names another, though others are installed', async () => {
    await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    const registry = await createAgentRegistry({ ...nothing, search_paths: [bin] })

    expect(registry.list().default).toBe('demo')
    expect(registry.getAgent('default').name).toBe('demo')
    expect(registry.getAgent('demo').command[0]).toBe(process.execPath)
    expect(
      registry
        .list()
        .items.filter((agent) => agent.default)
        .map(({ name }) => name),
    ).toEqual(['demo'])
  })

  it('finds an installed agent with its version, without running it', async () => {
    const program = await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    const registry = await createAgentRegistry({ ...nothing, named: 'gemini', search_paths: [bin] })

    expect(registry.list().items.find(({ name }) => name === 'gemini')).toEqual({
      name: 'gemini',
      title: 'Gemini CLI',
      takes_model: true,
      available: true,
      default: true,
      version: '0.61.0',
      reason: null,
      install: 'npm install --prefix ./data/agents @google/gemini-cli@0.61.0',
    })
    expect(registry.getAgent('default').command).toEqual([program, '--acp'])
  })

  it('finds what is installed later, and misses what has gone, when it looks again', async () => {
    const registry = await createAgentRegistry({ ...nothing, named: 'gemini', search_paths: [bin] })
    expect(() => registry.getAgent('default')).toThrow(/is not installed/)
    const program = await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    await Promise.all([registry.refresh(), registry.refresh()])
    expect(registry.getAgent('default').command).toEqual([program, '--acp'])
    expect(registry.describeSandbox()).toEqual([expect.stringContaining('HUB_SANDBOX=off')])
    await rm(join(bin, 'gemini'))
    await registry.refresh()
    expect(registry.list().items.find(({ name }) => name === 'gemini')).toMatchObject({ available: false })
  })

  it('says of each other agent why it cannot be used and how to install it', async () => {
    const registry = await createAgentRegistry({ ...nothing, search_paths: [bin] })
    const real = registry.list().items.filter(({ name }) => name !== 'demo')

    expect(real.map(({ name }) => name)).toEqual(['claude', 'codex', 'gemini', 'opencode', 'qwen', 'copilot'])
    expect(real.map(({ available, install }) => [available, install?.startsWith('npm install ')])).toEqual(
      real.map(() => [false, true]),
    )
    expect(() => registry.getAgent('codex')).toThrow(
      expect.objectContaining({
        code: 'AGENT_UNAVAILABLE',
        message: expect.stringMatching(/^Codex is not installed: .* Install it with "npm install .*"\.$/),
      }),
    )
  })

  it('starts with a named agent that is missing, and tells the remedy when it is asked for', async () => {
    const registry = await createAgentRegistry({ ...nothing, named: 'claude', search_paths: [] })

    expect(registry.list().default).toBe('claude')
    expect(() => registry.getAgent('default')).toThrow(/Install it with "npm install .*claude-agent-acp.*"\.$/)
  })

  it('lists a name that no agent has, with the reason', async () => {
    const registry = await createAgentRegistry({ ...nothing, named: 'gemni', search_paths: [] })

    expect(registry.list().items.find(({ name }) => name === 'gemni')).toMatchObject({
      available: false,
      default: true,
      reason: expect.stringContaining('AGENT_NAME is "gemni"'),
    })
    expect(() => registry.getAgent('default')).toThrow(expect.objectContaining({ code: 'AGENT_UNAVAILABLE' }))
    expect(() => registry.getAgent('other')).toThrow(expect.objectContaining({ code: 'AGENT_NOT_FOUND' }))
  })

  it('hands an agent the keys of its own model, and no others', async () => {
    await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    const env = {
      GEMINI_API_KEY: 'k',
      GOOGLE_GEMINI_BASE_URL: '',
      ANTHROPIC_API_KEY: 'canary',
      AGENT_HUB_TOKEN: 'canary',
    }
    const registry = await createAgentRegistry({ ...nothing, env, search_paths: [bin] })

    expect(registry.getAgent('gemini').env).toEqual({
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
      GEMINI_API_KEY: 'k',
      GOOGLE_GEMINI_BASE_URL: 'https://generativelanguage.googleapis.com',
    })
  })

  it('keeps the key and the network from an agent in the sandbox, which gets a dummy and the gateway', async () => {
    await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    await writeFile(join(folder, 'bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const env = { PATH: folder, GEMINI_API_KEY: 'real', HTTPS_PROXY: 'http://proxy.example:3128' }
    const registry = await createAgentRegistry({ ...nothing, env, sandbox: 'auto', search_paths: [bin] })
    const gemini = registry.getAgent('gemini')

    expect(gemini.env).toEqual({
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
      GEMINI_API_KEY: 'held-by-the-hub',
      GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:8100',
    })
    expect(gemini.sandbox?.model).toEqual({
      upstream: 'https://generativelanguage.googleapis.com',
      headers: { 'x-goog-api-key': 'real' },
    })
    expect(registry.describeSandbox()).toEqual([])
  })

  it('says of an agent without a key which to set', async () => {
    await installPackage('@qwen-code/qwen-code', 'qwen', '0.24.4')
    const registry = await createAgentRegistry({ ...nothing, env: {}, search_paths: [bin] })

    expect(registry.list().items.find(({ name }) => name === 'qwen')).toMatchObject({
      available: false,
      version: '0.24.4',
      reason: expect.stringMatching(/no key .* set OPENAI_API_KEY or DASHSCOPE_API_KEY/),
      install: null,
    })
  })

  it('hands on the model that somebody chose, and names one that cannot be', async () => {
    await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    const env = { GEMINI_API_KEY: 'k', GEMINI_MODEL: 'of-the-hub' }
    const registry = await createAgentRegistry({ ...nothing, env, search_paths: [bin] })

    expect(registry.getAgent('gemini').env['GEMINI_MODEL']).toBe('of-the-hub')
    expect(registry.getAgent('gemini', 'of-this-work').env['GEMINI_MODEL']).toBe('of-this-work')
    expect(() => registry.getAgent('gemini', 'x" y')).toThrow(expect.objectContaining({ code: 'AGENT_UNAVAILABLE' }))
  })

  it('says which agents are on the network of the machine, by the word of agents.yaml', async () => {
    await installPackage('mine', 'mine', '1.0.0')
    await writeFile(join(folder, 'bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    const [gemini] = LAUNCH_PROFILES.filter(({ name }) => name === 'gemini')
    const registry = await createAgentRegistry({
      ...nothing,
      env: { PATH: folder, GEMINI_API_KEY: 'real', HTTPS_PROXY: 'http://proxy.example:3128' },
      sandbox: 'auto',
      search_paths: [bin],
      own_profiles: [{ ...gemini!, name: 'mine', program: 'mine', network: 'machine' }],
    })

    expect(registry.describeSandbox()).toEqual([
      'As agents.yaml says, these agents are on the network of this machine: mine.',
    ])
    // It goes there by itself, so it holds the key.
    expect(registry.getAgent('mine').env).toMatchObject({
      GEMINI_API_KEY: 'real',
      HTTPS_PROXY: 'http://proxy.example:3128',
    })
    expect(registry.getAgent('mine').sandbox).not.toHaveProperty('model')
  })

  it('never looks into a relative folder: it would be another one in every working copy', async () => {
    const registry = await createAgentRegistry({ ...nothing, search_paths: ['node_modules/.bin', '.'] })

    expect(
      registry
        .list()
        .items.filter(({ available }) => available)
        .map(({ name }) => name),
    ).toEqual(['demo'])
  })

  it('keeps real agents from running where there is no sandbox, and says what to do', async () => {
    await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    const registry = await createAgentRegistry({
      ...nothing,
      sandbox: 'auto',
      env: { PATH: '/nowhere', GEMINI_API_KEY: 'k' },
      search_paths: [bin],
    })

    expect(() => registry.getAgent('gemini')).toThrow(/apt-get install bubblewrap.*HUB_SANDBOX=off/)
    expect(registry.getAgent('demo').name).toBe('demo')
    expect(registry.describeSandbox()).toEqual([])
  })

  it('says in so many words that real agents run without walls', async () => {
    await installPackage('@google/gemini-cli', 'gemini', '0.61.0')
    const registry = await createAgentRegistry({ ...nothing, search_paths: [bin] })

    expect(registry.getAgent('gemini').sandbox).toBeUndefined()
    expect(registry.describeSandbox()).toEqual([expect.stringContaining('HUB_SANDBOX=off')])
  })
})
