/**
 * Opens a session with ever more files free to open, from none on, of an agent that cannot be started in the end. Tells
 * of each try what it met and what it left behind, one JSON object a line. To be run with few files allowed.
 */
import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openAgentSession } from '../src/acp/agent-session.ts'
import { limits, walledProfile } from './acp-fixture.ts'

const [folder = ''] = process.argv.slice(2)
const working_copy = join(folder, 'copy')
mkdirSync(working_copy)

function takeAll(): number[] {
  const taken: number[] = []
  for (;;) {
    try {
      taken.push(openSync('/dev/null', 'r'))
    } catch {
      return taken
    }
  }
}

const { sandbox, ...profile } = walledProfile('/nowhere/bwrap')
const model = { upstream: 'http://127.0.0.1:9', headers: {} }

async function refusedSession(): Promise<string> {
  const session = openAgentSession(
    {
      agent: { ...profile, mcp_transport: 'http', sandbox: { ...sandbox!, model } },
      session_id: 'session-1',
      acp_session_id: null,
      home: join(folder, 'home'),
      working_copy,
      env: {},
      prompt: '',
      signal: new AbortController().signal,
      limits,
      onUpdate: () => {},
      onProcess: () => {},
    },
    {},
  )
  return session.then(() => 'opened', String)
}

// The first one loads what is loaded late, and keeps it.
await refusedSession()
const open_before = readdirSync('/proc/self/fd').length
for (let free = 0; free <= 3; free++) {
  const taken = takeAll()
  for (const file of taken.splice(0, free)) closeSync(file)
  const refusal = await refusedSession()
  taken.forEach(closeSync)
  const open = readdirSync('/proc/self/fd').length - open_before
  process.stdout.write(`${JSON.stringify({ refusal, folders: readdirSync(tmpdir()), open })}\n`)
}
// What was left behind must not keep it from ending: it has been told.
process.exit()
