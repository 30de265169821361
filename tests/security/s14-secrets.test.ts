import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeRepository, userGit } from '../../services/agent-hub/tests/git-fixture.ts'
import { startHub, startProcess, STUB, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { clientOf, type Client } from '../../services/orchestrator/tests/service.ts'

/** What each service is given to keep to itself, by the variable that holds it. */
const PLANTED = {
  AGENT_HUB_TOKEN: 'planted-hub-token-5d1c7a',
  GEMINI_API_KEY: 'planted-model-key-90be21',
  OTHER_SERVICE_SECRET: 'planted-other-secret-4f77',
  HTTPS_PROXY: 'http://clerk:planted-proxy-word-c3e8@127.0.0.1:9',
}
const words = Object.values(PLANTED).map((value) => /planted-[\w-]+/.exec(value)?.[0] ?? '')

let folder: string
let repository: string
let hub: ServiceProcess
let orchestrator: ServiceProcess
let client: Client
let key: string
const answers: string[] = []
const command_lines = new Set<string>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
  repository = makeRepository(join(folder, 'shop'))
  hub = await startHub(folder, { ...PLANTED, WORKSPACE: repository, LOG_LEVEL: 'trace', HUB_MEMORY_MB: '100000' })
  orchestrator = await startProcess(folder, {
    ...PLANTED,
    AGENT_HUB_URL: hub.url,
    AGENT_NAME: STUB,
    LOG_LEVEL: 'trace',
    DATABASE_URL: `sqlite:///${folder}/orchestrator.db`,
  })
  client = clientOf(orchestrator.url)
  key = (await client.request('POST', '/keys', { name: 'Robin', role: 'admin' })).body.key as string
})
afterAll(async () => {
  await orchestrator.stop()
  await hub.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Command lines of all processes of this machine. */
function lookAtCommandLines(): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      command_lines.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    } catch {
      // Gone meanwhile.
    }
  }
}

async function keep(path: string, headers: Record<string, string> = {}): Promise<void> {
  answers.push((await client.request('GET', path, undefined, headers)).text)
}

/** Has the agent do what is said, and keeps all that the services then tell of it. */
async function run(said: string[]): Promise<{ id: string; status: string; error: string | null }> {
  const description = ['People can log in with a password.', ...said.map((line) => `stub: ${line}`)].join('\n')
  const { id } = await client.create({ feature_description: description })
  const looking = setInterval(lookAtCommandLines, 20)
  let workflow = await client.get(id)
  while (['pending', 'in_progress'].includes(workflow.status)) {
    await delay(50)
    workflow = await client.get(id)
  }
  clearInterval(looking)
  for (const path of ['', '/history', '/attempts']) await keep(`/workflows/${id}${path}`)
  for (const attempt of await client.attempts(id)) {
    for (const { digest } of attempt.artifacts) await keep(`/artifacts/${digest}`)
    const authorization = { authorization: `Bearer ${PLANTED.AGENT_HUB_TOKEN}` }
    const events = await fetch(`${hub.url}/invocations/${attempt.invocation_id}/events`, { headers: authorization })
    const invocation = await fetch(`${hub.url}/invocations/${attempt.invocation_id}`, { headers: authorization })
    answers.push(await events.text(), await invocation.text())
  }
  return workflow
}

/** Every file below, and every object of every repository as git itself would show it. */
function everything(): [where: string, text: string][] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const read = files.map((file): [string, string] => {
    const path = join(file.parentPath, file.name)
    return [path, existsSync(path) ? readFileSync(path, 'latin1') : 'gone meanwhile']
  })
  const repositories = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isDirectory() && one.name === 'objects')
    .map((one) => one.parentPath)
  const objects = repositories.map((path): [string, string] => [
    path,
    userGit(path, `--git-dir=${path}`, 'cat-file', '--batch-all-objects', '--batch'),
  ])
  return [...read, ...objects]
}

const found = (secrets: string[], places: [string, string][]) =>
  places.flatMap(([where, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${where}`),
  )

describe('secrets of the services', () => {
  it('reach an agent only where its profile names them', async () => {
    await run(['tell AGENT_HUB_TOKEN', 'tell OTHER_SERVICE_SECRET', 'tell GEMINI_API_KEY'])
    const told = answers.join('\n')
    for (const word of ['AGENT_HUB_TOKEN=\\n', 'OTHER_SERVICE_SECRET=\\n', 'GEMINI_API_KEY=[hidden: GEMINI_API_KEY]'])
      expect(told).toContain(word)
  })

  it('are hidden in what an agent says, in one piece or in two, and in its last words', async () => {
    const talk = await run([
      'tell GEMINI_API_KEY',
      'spell GEMINI_API_KEY',
      'tell HTTPS_PROXY',
      'muse GEMINI_API_KEY',
      'cat /proc/self/environ',
    ])
    expect(talk.status).toBe('waiting_approval')
    expect(answers.join()).toContain('[hidden: GEMINI_API_KEY]')
    const dead = await run(['shriek GEMINI_API_KEY'])
    expect(dead).toMatchObject({ status: 'failed', error: expect.stringContaining('[hidden: GEMINI_API_KEY]') })
  })

  it('are never committed: a file that holds one stops the phase, and says which', async () => {
    const { status, error } = await run(['jot GEMINI_API_KEY notes.md'])
    expect(status).toBe('failed')
    expect(error).toContain('notes.md holds the value of GEMINI_API_KEY')
    expect((await run(['env environment.json'])).error).toContain('environment.json holds')
  })

  it('are hidden when somebody sends them to the wrong place', async () => {
    const secret = PLANTED.AGENT_HUB_TOKEN
    for (const where of [key, secret]) {
      for (const service of [orchestrator.url, hub.url]) {
        const other = clientOf(service, where)
        const asks: [string, string, unknown?][] = [
          ['GET', `/artifacts/${where}`],
          ['GET', `/workflows?key=${where}`],
          ['GET', `/nothing/${where}`],
          ['POST', `/workflows/${where}/advance`, { trigger: where }],
          ['POST', '/session', { key: `${where}x` }],
          ['POST', '/sessions', `{"feature_id": "${where}`],
        ]
        for (const [method, path, body] of asks) await other.request(method, path, body)
      }
    }
    await expect.poll(() => orchestrator.output()).toContain('/nothing/[hidden')
  })

  it('are nowhere: no log, file, database, commit, answer, stream or command line', async () => {
    const places: [string, string][] = [
      ['the log of the hub', hub.output()],
      ['the log of the orchestrator', orchestrator.output()],
      ['an answer', answers.join('\n')],
      ['a command line', [...command_lines].join('\n')],
      ...everything(),
    ]
    expect(places.length).toBeGreaterThan(50)
    expect(command_lines.size).toBeGreaterThan(5)
    expect(found([...words, key.slice(-43)], places)).toEqual([])
  })
})
