import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Stands in for a service: logs as one, listens as one, and behaves as the words in its variable say.
 * refuse: no start · die: dies after each start · stubborn: does not hear SIGTERM · agent: starts a child
 * in a group of its own and leaves it behind · hostile: logs what a terminal would obey · bare: has no agent
 * but the demo · keyless: its other agents lack keys.
 */
const name = process.argv[1]!.includes('agent-hub') ? 'agent-hub' : 'orchestrator'
const moods = (process.env[name === 'agent-hub' ? 'STUB_HUB' : 'STUB_ORCHESTRATOR'] ?? '').split(' ')
const port = Number(process.env[name === 'agent-hub' ? 'HUB_PORT' : 'PORT'])
const log = (level: number, msg: string, more: object = {}) =>
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), name, msg, ...more })}\n`)

if (moods.includes('refuse')) {
  process.stderr.write('PORT must be a whole number, but is "abc".\n')
  process.exit(1)
}

const listed = (name: string, title: string) => ({
  name,
  title,
  available: true,
  default: false,
  version: '2',
  reason: null as string | null,
  install: null as string | null,
})
const missing = { available: false, version: null, reason: 'not found', install: 'npm i' }
const keyless = { available: false, reason: 'there is no key: set KEY.' }

const agents = {
  items: [
    { ...listed('demo', 'Offline demo agent'), default: true, version: '1' },
    {
      ...listed('claude', 'Claude'),
      ...(moods.includes('bare') && missing),
      ...(moods.includes('keyless') && keyless),
    },
    { ...listed('gemini', 'Gemini'), ...(moods.includes('keyless') ? keyless : missing) },
    { ...listed('codex', 'Codex'), ...missing },
  ],
  default: 'demo',
}
const workspace = { name: 'default', path: '/somewhere/demo', default_branch: 'main', highest_number: 0 }
const documents: Record<string, object> = {
  '/health': { status: 'healthy', version: '1', uptime_seconds: 1, reasons: [] },
  '/agents': agents,
  '/workspaces/default': workspace,
  '/environment': { hub_url: process.env['AGENT_HUB_URL'], token: process.env['AGENT_HUB_TOKEN'], pid: process.pid },
}

const server = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' })
  response.end(JSON.stringify(documents[request.url ?? ''] ?? {}))
})
server.listen(port, '127.0.0.1', () => {
  log(30, 'listening', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  log(30, 'an information')
  log(40, 'a warning')
  process.stdout.write('a word for a person\n')
  if (moods.includes('hostile')) log(50, 'red \u001B[31m\u0007 and a\nsecond line')
  if (moods.includes('agent')) {
    const agent = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' })
    log(40, `agent ${agent.pid}`)
  }
  if (moods.includes('die')) setTimeout(() => process.exit(7), 20)
})
process.on('SIGTERM', () => {
  if (!moods.includes('stubborn')) process.exit(0)
})
