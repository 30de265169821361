import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'

import { makeRoot, startCli } from './cli-process.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function doctorIn(root: string, env: NodeJS.ProcessEnv = {}) {
  const cli = startCli(root, ['doctor', '--json'], env)
  const exit_code = await cli.exited
  expect(cli.errors).toEqual([])
  const report = JSON.parse(cli.lines.join('')) as {
    ok: boolean
    findings: { name: string; level: string; text: string; remedy: string | null }[]
  }
  return { exit_code, ...report, find: (name: string) => report.findings.find((finding) => finding.name === name) }
}

async function root(): Promise<string> {
  const made = await makeRoot()
  closers.push(made.remove)
  return made.root
}

/** A port that somebody else holds. */
async function takenPort(body: string): Promise<string> {
  const server = createServer((_request, response) => response.end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => new Promise((done) => server.close(done)))
  return String((server.address() as AddressInfo).port)
}

describe('orchestrator doctor', () => {
  it('finds what is there, says how to get the rest, and leaves nothing behind', async () => {
    const folder = await root()
    const before = await readdir(folder)
    const { exit_code, ok, find } = await doctorIn(folder)
    expect({ exit_code, ok }).toEqual({ exit_code: 0, ok: true })
    expect(find('node')).toMatchObject({ level: 'ok', text: process.versions.node })
    expect(find('git')).toMatchObject({ level: 'ok' })
    expect(find('data')).toMatchObject({ level: 'ok', text: `${folder}/data can be written` })
    expect(find('agent demo')).toMatchObject({ level: 'ok', text: 'Offline demo agent 1' })
    expect(find('agent codex')).toMatchObject({ level: 'advice', text: 'not found', remedy: 'npm i' })
    expect(await readdir(folder)).toEqual(before)
  })

  it('fails without git, and says what to do', async () => {
    const folder = await root()
    const { exit_code, ok, find } = await doctorIn(folder, { PATH: '/nowhere' })
    expect({ exit_code, ok }).toEqual({ exit_code: 1, ok: false })
    expect(find('git')).toMatchObject({ level: 'failed', remedy: expect.stringContaining('install it') })
    expect(find('sandbox')).toMatchObject({ level: 'advice', remedy: 'apt-get install bubblewrap' })
  })

  it('fails for a port that another program holds, and names the variable', async () => {
    const PORT = await takenPort('hello')
    const { exit_code, find } = await doctorIn(await root(), { PORT })
    expect(exit_code).toBe(1)
    expect(find('port')).toMatchObject({ level: 'failed', remedy: expect.stringContaining('PORT=') })
  })

  it('takes a port that already serves for a running service', async () => {
    const HUB_PORT = await takenPort('{"status":"healthy","version":"1","uptime_seconds":12,"reasons":[]}')
    const { exit_code, find } = await doctorIn(await root(), { HUB_PORT })
    expect(exit_code).toBe(0)
    expect(find('hub port')).toMatchObject({ level: 'ok', text: `${HUB_PORT} serves already, for 12 s` })
  })

  it('fails for a data folder that cannot be', async () => {
    const folder = await root()
    await writeFile(join(folder, 'data'), 'a file where the folder should be')
    const { exit_code, find } = await doctorIn(folder)
    expect(exit_code).toBe(1)
    expect(find('data')).toMatchObject({ level: 'failed', remedy: expect.stringContaining('DATABASE_URL') })
  })

  it('fails with the words of a hub that does not start', async () => {
    const { exit_code, find } = await doctorIn(await root(), { STUB_HUB: 'refuse' })
    expect(exit_code).toBe(1)
    expect(find('agents')).toMatchObject({ level: 'failed', remedy: 'PORT must be a whole number, but is "abc".' })
  })

  it('asks another hub for its agents where one is named', async () => {
    const AGENT_HUB_URL = `http://127.0.0.1:${await takenPort('{"nothing":"of ours"}')}`
    const { exit_code, find } = await doctorIn(await root(), { AGENT_HUB_URL })
    expect(exit_code).toBe(1)
    expect(find('agent hub')).toMatchObject({ level: 'failed', text: expect.stringContaining(AGENT_HUB_URL) })
    expect(find('hub port')).toBeUndefined()
  })

  it('is readable by a person', async () => {
    const cli = startCli(await root(), ['doctor'])
    await expect(cli.exited).resolves.toBe(0)
    expect(cli.lines).toContain(`✓ node         ${process.versions.node}`)
    expect(cli.lines).toContain('! agent codex  not found')
  })
})

describe('the command line', () => {
  it.each([[['sing']], [['up', '--loudly']], [['doctor', 'more']]])(
    '%j is a mistake: exit code 2 and a sentence',
    async (words) => {
      const cli = startCli(await root(), words)
      await expect(cli.exited).resolves.toBe(2)
      expect(cli.errors[0]).toMatch(/^error: /)
    },
  )

  it('--help lists the commands and the exit codes', async () => {
    const cli = startCli(await root(), ['--help'])
    await expect(cli.exited).resolves.toBe(0)
    const text = cli.lines.join('\n')
    expect(text).toMatch(/up \[options\]/)
    expect(text).toMatch(/doctor \[options\]/)
    expect(text).toContain('3  a service kept dying')
  })
})
