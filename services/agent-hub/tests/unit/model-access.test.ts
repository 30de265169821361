import { describe, expect, it } from 'vitest'

import type { LaunchProfile } from '../../src/acp/launch-profile.ts'
import { findAccess } from '../../src/acp/model-access.ts'
import { LAUNCH_PROFILES } from '../../src/acp/profiles.ts'

const SECRET = 'canary-key'

/** Every way of every profile to a model, with nothing set but its key. */
const ways = LAUNCH_PROFILES.flatMap((launch) =>
  launch.models.map(({ key_variable, model_variable }) => ({ launch, key_variable, model_variable })),
)

const launchOf = (name: string): LaunchProfile => LAUNCH_PROFILES.find((launch) => launch.name === name)!

describe.each(ways)('$launch.name by $key_variable', ({ launch, key_variable, model_variable }) => {
  const env = { [key_variable]: SECRET }

  it('keeps the key in the hub when walls stand, and sends the agent to the gateway', () => {
    const access = findAccess(launch, { env, walled: true })

    expect(JSON.stringify([access.env, access.home_files])).not.toContain(SECRET)
    expect(Object.values(access.endpoint?.headers ?? {}).join()).toMatch(/^(Bearer )?canary-key$/)
    expect(JSON.stringify([access.env, access.home_files])).toContain('http://127.0.0.1:8100')
    expect(access.env[key_variable]).toBe('held-by-the-hub')
  })

  it('never writes the key into a file, walls or not', () => {
    const access = findAccess(launch, { env, walled: false })

    expect(access.env[key_variable]).toBe(SECRET)
    expect(JSON.stringify(access.home_files)).not.toContain(SECRET)
    expect(access.endpoint).toBeUndefined()
  })

  it('tells the agent of a model that was chosen, and leaves no placeholder', () => {
    const access = findAccess(launch, { env: { ...env, [model_variable ?? '']: 'one' }, walled: true, chosen: 'two' })

    const told = JSON.stringify([access.env, access.home_files])
    expect(told).toContain('two')
    expect(told).not.toContain('one"')
    expect(told).not.toMatch(/\{(model|model_url|model_key)\}/)
  })
})

describe('the way to a model', () => {
  it('is the first whose key is there', () => {
    const env = { ANTHROPIC_AUTH_TOKEN: 'a', CLAUDE_CODE_OAUTH_TOKEN: 'b', ANTHROPIC_API_KEY: '' }
    expect(findAccess(launchOf('claude'), { env, walled: true }).endpoint?.headers).toEqual({
      authorization: 'Bearer a',
    })
  })

  it('leads elsewhere when an address is set', () => {
    const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'https://models.example/v1/' }
    const walled = findAccess(launchOf('codex'), { env, walled: true })
    const open = findAccess(launchOf('codex'), { env, walled: false })

    expect(walled.endpoint?.upstream).toBe('https://models.example/v1/')
    expect(open.home_files['.codex/config.toml']).toContain('base_url = "https://models.example/v1"')
  })

  it('is a dead end with the remedy when nothing fits', () => {
    const find = (name: string, env: NodeJS.ProcessEnv) => () => findAccess(launchOf(name), { env, walled: true })

    expect(find('gemini', {})).toThrow('Gemini CLI has no key for its model: set GEMINI_API_KEY in the environment')
    expect(find('codex', { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'file:///x' })).toThrow(/OPENAI_BASE_URL is no http/)
    expect(find('codex', { OPENAI_API_KEY: 'k', OPENAI_MODEL: '"}' })).toThrow(
      /OPENAI_MODEL must begin with a letter or digit/,
    )
  })

  it('is not needed by an agent that has no model of the hub', () => {
    const launch = { ...launchOf('gemini'), models: [], env: { A: '{home}/a', B: '{model}' } }
    expect(findAccess(launch, { env: {}, walled: true })).toEqual({
      env: { A: '{home}/a' },
      home_files: launch.home_files,
    })
  })
})
