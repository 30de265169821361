import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

import { isRunning, makeRoot, startCli } from './cli-process.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function start(words: string[], env: NodeJS.ProcessEnv = {}, build?: string) {
  const { root, remove } = await makeRoot(build)
  closers.push(remove)
  return { root, cli: restart(root, words, env) }
}

function restart(root: string, words: string[], env: NodeJS.ProcessEnv = {}) {
  const cli = startCli(root, words, env)
  closers.push(() => cli.end())
  return cli
}

const wordsOf = (cli: Cli) => cli.events().map((event) => event['message'] ?? event['text'])
type Cli = ReturnType<typeof startCli>
const eventOf = (cli: Cli, type: string) => cli.events().find((event) => event['type'] === type)
async function ready(cli: Cli) {
  await expect.poll(() => eventOf(cli, 'ready')).toBeDefined()
  return eventOf(cli, 'ready') as { url: string; hub_url: string }
}
const environmentOf = async (url: string) =>
  (await (await fetch(`${url}/environment`)).json()) as { hub_url: string; token: string; pid: number }

describe('orchestrator up', () => {
  it('starts both services with one secret between them, tells where to look, and ends with 0', async () => {
    const { cli } = await start(['up', '--json'])
    const { url, hub_url } = await ready(cli)
    const orchestrator = await environmentOf(url)
    const hub = await environmentOf(hub_url)
    expect(orchestrator.hub_url).toBe(hub_url)
    expect(orchestrator.token).toMatch(/^[0-9a-f]{64}$/)
    expect(hub.token).toBe(orchestrator.token)
    expect(eventOf(cli, 'ready')).toMatchObject({
      docs_url: `${url}/docs`,
      own_hub: true,
      agents: { default: 'demo' },
      workspace: { path: '/somewhere/demo' },
      database: './data/orchestrator.db',
    })

    cli.signal('SIGINT')
    await expect(cli.exited).resolves.toBe(0)
    expect(cli.errors).toEqual([])
    expect([orchestrator.pid, hub.pid].map(isRunning)).toEqual([false, false])
    expect(cli.lines.join()).not.toContain(orchestrator.token)
  })

  it('tells a person in plain lines, without colour where there is no terminal', async () => {
    const { cli } = await start(['up'])
    await expect.poll(() => cli.lines.join('\n')).toContain('Ctrl-C ends everything.')
    const text = cli.lines.join('\n')
    expect(text).toMatch(/Dashboard +http:\/\/127\.0\.0\.1:\d+\n/)
    expect(text).toMatch(/API docs +http:\/\/127\.0\.0\.1:\d+\/docs\n/)
    expect(text).toMatch(
      /Agent +demo \(Offline demo agent\)\n +also found: claude \(to use one: AGENT_NAME=claude npm start\)/,
    )
    expect(text).toMatch(/Workspace +\/somewhere\/demo /)
    expect(text).toContain('curl -X POST')
    expect(text).not.toContain('\u001B')
  })

  it('sends who has no other agent to the doctor', async () => {
    const { cli } = await start(['up'], { STUB_HUB: 'bare' })
    await expect.poll(() => cli.lines.join('\n')).toContain('Ctrl-C ends everything.')
    expect(cli.lines.join('\n')).toMatch(
      /Agent +demo \(Offline demo agent\)\n +no other agent found \(npx orchestrator doctor tells how to install one\)\n/,
    )
  })

  it('shows agents that are there and lack something, with what that is', async () => {
    const { cli } = await start(['up'], { STUB_HUB: 'keyless' })
    await expect.poll(() => cli.lines.join('\n')).toContain('Ctrl-C ends everything.')
    expect(cli.lines.join('\n')).toMatch(
      /Agent +demo \(Offline demo agent\)\n +found, not usable yet: claude, gemini \(there is no key: set KEY\.\)\n +Workspace/,
    )
  })

  it('tells how to install the agent that is named and not there', async () => {
    const { cli } = await start(['up'], { AGENT_NAME: 'codex' })
    await expect.poll(() => cli.lines.join('\n')).toContain('Ctrl-C ends everything.')
    expect(cli.lines.join('\n')).toMatch(/Agent +codex \(not found\)\n +to install it: npm i\n/)
  })

  it('starts no hub of its own where another is named', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end('{}')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    closers.push(() => new Promise((done) => other.close(done)))
    const hub_url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const { cli } = await start(['up', '--json'], { AGENT_HUB_URL: hub_url, AGENT_HUB_TOKEN: 'shared' })
    const { url } = await ready(cli)
    await expect(environmentOf(url)).resolves.toMatchObject({ hub_url, token: 'shared' })
    expect(eventOf(cli, 'ready')).toMatchObject({
      own_hub: false,
      agents: null,
      trouble: expect.stringContaining(hub_url),
    })
  })

  it('shows warnings and words for a person, and the rest when asked', async () => {
    const { cli } = await start(['up', '--json'])
    await ready(cli)
    // The last of what the stub says when it begins.
    await expect.poll(() => wordsOf(cli)).toContain('a word for a person')
    const quiet = wordsOf(cli)
    expect(quiet).toContain('a warning')
    expect(quiet).not.toContain('an information')

    const { cli: verbose } = await start(['up', '--json', '--verbose'])
    await ready(verbose)
    await expect.poll(() => wordsOf(verbose)).toContain('an information')

    const { cli: wished } = await start(['up', '--json'], { LOG_LEVEL: 'error' })
    await ready(wished)
    await expect.poll(() => wordsOf(wished)).toContain('a word for a person')
    expect(wordsOf(wished)).not.toContain('a warning')
  })

  it('lets nothing through that a terminal would obey', async () => {
    const { cli } = await start(['up'], { STUB_ORCHESTRATOR: 'hostile' })
    await expect.poll(() => cli.lines.join('\n')).toContain('red   and a second line')
  })

  it('shows why a service does not start, once and as it is, and ends with 1', async () => {
    const { cli } = await start(['up'], { STUB_ORCHESTRATOR: 'refuse' })
    await expect(cli.exited).resolves.toBe(1)
    expect(cli.lines.filter((line) => line.includes('PORT'))).toEqual(['PORT must be a whole number, but is "abc".'])
  })

  it('does not start the orchestrator without its hub', async () => {
    const { cli } = await start(['up'], { STUB_HUB: 'refuse' })
    await expect(cli.exited).resolves.toBe(1)
    expect(cli.lines).toEqual(['PORT must be a whole number, but is "abc".'])
  })

  it('starts a service again that was killed, at the same address', async () => {
    const { cli } = await start(['up', '--json'])
    const { url } = await ready(cli)
    const before = await environmentOf(url)
    process.kill(before.pid, 'SIGKILL')
    await expect
      .poll(() =>
        environmentOf(url).then(
          (after) => after.pid !== before.pid,
          () => false,
        ),
      )
      .toBe(true)
    await expect.poll(() => eventOf(cli, 'died')).toMatchObject({ service: 'orchestrator', how: 'SIGKILL' })
  })

  it('gives up a service that keeps dying, and ends with 3', async () => {
    const { cli } = await start(['up', '--json'], { STUB_HUB: 'die' })
    await expect(cli.exited).resolves.toBe(3)
    expect(cli.events().filter((event) => event['type'] === 'died')).toHaveLength(5)
  })

  it('kills what does not end by itself, and the agents it left, when its patience is at an end', async () => {
    const { cli } = await start(['up', '--json'], { STUB_HUB: 'stubborn agent' })
    const { hub_url } = await ready(cli)
    const { pid } = await environmentOf(hub_url)
    const agent = await agentOf(cli)
    const began = performance.now()
    cli.signal('SIGTERM')
    await expect(cli.exited).resolves.toBe(0)
    // Its own patience is 4.5 s, what it started hears nothing for three minutes; the rest is for a loaded machine.
    expect(performance.now() - began).toBeLessThan(20_000)
    await expect.poll(() => [pid, agent].map(isRunning)).toEqual([false, false])
  })

  it('kills at once at the second Ctrl-C', async () => {
    const { cli } = await start(['up', '--json'], { STUB_HUB: 'stubborn agent' })
    const { hub_url } = await ready(cli)
    const { pid } = await environmentOf(hub_url)
    const agent = await agentOf(cli)
    const began = performance.now()
    cli.signal('SIGINT')
    await expect.poll(() => eventOf(cli, 'stopping')).toBeDefined()
    cli.signal('SIGINT')
    await expect(cli.exited).resolves.toBe(0)
    // Before its patience of 4.5 s is at an end.
    expect(performance.now() - began).toBeLessThan(4_400)
    await expect.poll(() => [pid, agent].map(isRunning)).toEqual([false, false])
  })

  it('builds the page when it is missing or its source is younger, and only then', async () => {
    const { root, cli } = await start(['up', '--json'])
    await ready(cli)
    expect(eventOf(cli, 'built')).toBeDefined()
    await cli.end()

    const again = restart(root, ['up', '--json'])
    await ready(again)
    expect(eventOf(again, 'building')).toBeUndefined()
    await again.end()

    await writeFile(join(root, 'apps/dashboard/src/new.tsx'), '')
    const changed = restart(root, ['up', '--json'])
    await ready(changed)
    expect(eventOf(changed, 'building')).toBeDefined()
  })

  it('runs without the page when it cannot be built, and says so', async () => {
    const { cli } = await start(['up', '--json'], {}, `console.error('no such thing as a page'); process.exit(2)`)
    const { url } = await ready(cli)
    expect(eventOf(cli, 'build_failed')).toMatchObject({ reason: expect.stringContaining('no such thing as a page') })
    await expect(environmentOf(url)).resolves.toBeDefined()
  })

  it('needs git for a hub of its own', async () => {
    const { cli } = await start(['up'], { PATH: '/nowhere' })
    await expect(cli.exited).resolves.toBe(1)
    expect(cli.lines).toEqual([expect.stringContaining('git is missing')])
  })

  it('starts a service again with --watch when its code changes', async () => {
    const { root, cli } = await start(['up', '--json', '--watch'])
    const { hub_url } = await ready(cli)
    const before = await environmentOf(hub_url)
    const fixed = hub_url
    await writeFile(
      join(root, 'services/agent-hub/src/main.ts'),
      `process.stdout.write('changed ' + ${JSON.stringify(fixed)} + '\\n'); setInterval(() => {}, 1000)`,
    )
    await expect.poll(() => cli.lines.join()).toContain(`changed ${fixed}`)
    await expect.poll(() => isRunning(before.pid)).toBe(false)
    cli.signal('SIGINT')
    await expect(cli.exited).resolves.toBe(0)
  })
})

/** The process that the stub hub started: it says so in its log. */
async function agentOf(cli: Cli): Promise<number> {
  const pids = () => wordsOf(cli).flatMap((word) => /^agent (\d+)$/.exec(String(word))?.slice(1) ?? [])
  await expect.poll(pids).toHaveLength(1)
  return Number(pids()[0])
}
