/**
 * An ACP program without a model, for tests: what it does is written in the prompt.
 *
 * Every line of the prompt of the form `stub: MOOD ARGUMENT…` is done, in order:
 *
 * - `write PATH TEXT` writes a file · `outside PATH TEXT` the same, meant for paths outside
 * - `say TEXT` · `think TEXT` · `plan` · `cost USD`
 * - `ask KIND PATH` requests permission and writes the file when it is granted
 * - `hang` until cancelled · `deaf` hangs and ignores the cancel · `sleep MS` · `await FILE` until somebody made it
 * - `crash` dies with exit code 7 · `refuse` answers with a JSON-RPC error
 * - `lie` claims files that it never wrote · `question` ends with open questions
 * - `flood COUNT` sends that many updates · `babble COUNT` writes that many lines of nonsense to stdout
 *   `bloat MIB` writes one endless line there
 * - `fork FILE` leaves a child in the process group, `flee FILE` one outside of it; FILE gets its pid
 *   `swap PATH TARGET` leaves one that puts a link in the place of a folder and takes it away again, `flicker PATH` one
 *   that writes a file again and again
 *   `vanish NAME` leaves one in a session of its own, with an empty environment and NAME in its command line
 * - `env FILE` writes its environment as JSON · `cat PATH` and `list PATH` say what they find, or the error's code
 * - `submit CONFIDENCE` hands in the result by the hub's own tool · `submit-badly` with arguments that do not fit
 *   `mute` ends this turn without a result, `sulk` every turn of the session
 * - `gaps COUNT` finds a gap in that many turns of converge, and closes it in the turn of implement after
 * - `tell NAME` says the value of a variable, `spell NAME` in two pieces, `muse NAME` thinks it, `jot NAME PATH`
 *   writes it to a file, `shriek NAME` dies with it as its last words
 * - `link PATH TARGET` and `pipe PATH` leave what is no file, `listen FILE` a child that listens; FILE gets the port
 * - `attempt PATH` tries to write there and says what came of it
 * - `connect PATH` tries a unix socket, `reach HOST` the network directly, `fetch URL` as its proxy variables say ·
 *   `pids` says how many processes it can see
 * - `spec PATH` writes a specification that passes the checks · `pace COUNT PER_SECOND` sends updates at that speed
 *
 * Without such a line it is honest: it writes the file of the phase that the `json invocation` block names
 * and answers every thread. Options: `--start=exit|hang|babble|deaf` misbehaves at start,
 * `--sessions=resume|load` goes on with sessions of earlier processes. How long each prompt took, in milliseconds, it
 * notes in `stub-times` in its HOME.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

import * as acp from '@agentclientprotocol/sdk'
import * as z from 'zod'

const option = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3)
const start = option('start')
const sessions = option('sessions')

/** As `session/new` names them. */
const serversSchema = z.array(
  z.object({ url: z.url(), headers: z.array(z.object({ name: z.string(), value: z.string() })) }),
)

interface Session {
  cwd: string
  tool: Promise<HubTool | undefined>
  sulks: boolean
  turns: number
  cancel: AbortController
}
const known = new Map<string, Session>()
const memory = join(homedir(), 'stub-sessions.json')

/** However badly a test ends, nothing of it stays for longer than this. */
const LIFETIME_MS = 180_000
setTimeout(() => process.exit(9), LIFETIME_MS).unref()
const LISTENER = `const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port)); setTimeout(() => process.exit(), ${LIFETIME_MS})`
const SLEEPER = `setTimeout(() => {}, ${LIFETIME_MS})`
const SWAPPER = `
const fs = require('fs')
const [path, target] = process.argv.slice(1)
let linked = false
setTimeout(() => process.exit(), ${LIFETIME_MS})
setInterval(() => {
  if (linked) fs.rmSync(path), fs.renameSync(path + '.aside', path)
  else fs.renameSync(path, path + '.aside'), fs.symlinkSync(target, path)
  linked = !linked
}, 3)`
const FLICKERER = `
const fs = require('fs')
const [path] = process.argv.slice(1)
let count = 0
setTimeout(() => process.exit(), ${LIFETIME_MS})
setInterval(() => fs.writeFileSync(path, '# Written ' + (count += 1)), 1)`
const PHASE_FILES: Record<string, string> = {
  specify: 'spec.md',
  clarify: 'spec.md',
  plan: 'plan.md',
  checklist: 'checklists/requirements.md',
  tasks: 'tasks.md',
}
const invocationSchema = z.object({
  command: z.string(),
  feature_directory: z.string(),
  feature_description: z.string(),
  feedback: z.object({ text: z.string(), threads: z.array(z.object({ id: z.string() })) }).nullish(),
})

/** Everything one step of a turn may use. */
interface Turn {
  session: Session
  session_id: string
  client: acp.AgentContext
  update(update: acp.SessionUpdate): Promise<void>
  say(text: string): Promise<void>
  result: { summary: string; confidence: number; open_questions: string[]; threads: unknown[] }
  is_closed: boolean
  asked: z.infer<typeof invocationSchema> | undefined
}

function write(turn: Turn, path: string, text: string): void {
  const file = resolve(turn.session.cwd, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

async function writeAsTool(turn: Turn, path: string, text: string): Promise<void> {
  const toolCallId = `write-${turn.session.turns}-${path}`
  const locations = [{ path: resolve(turn.session.cwd, path) }]
  await turn.update({
    sessionUpdate: 'tool_call',
    toolCallId,
    title: `Write ${path}`,
    kind: 'edit',
    status: 'pending',
    locations,
  })
  write(turn, path, text)
  await turn.update({ sessionUpdate: 'tool_call_update', toolCallId, status: 'completed' })
}

async function untilCancelled(turn: Turn): Promise<void> {
  const { signal } = turn.session.cancel
  await new Promise<void>((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}

async function forever(): Promise<never> {
  return await new Promise(() => {
    setInterval(() => {}, 1_000)
  })
}

function attempt(work: () => string): string {
  try {
    return work()
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/** What can be hidden of a child is: only its command line tells. */
function vanish(_turn: Turn, name: string): void {
  spawn(process.execPath, ['-e', SLEEPER, name], { detached: true, stdio: 'ignore', env: {}, cwd: '/' }).unref()
}

function leaveChild(turn: Turn, file: string, detached: boolean): void {
  const child = spawn(process.execPath, ['-e', SLEEPER], { detached, stdio: 'ignore' })
  write(turn, file, String(child.pid))
}

function leaveScript(turn: Turn, script: string, path: string, ...more: string[]): void {
  const stdio = 'ignore'
  spawn(process.execPath, ['-e', script, resolve(turn.session.cwd, path), ...more], { detached: true, stdio }).unref()
}

interface HubTool {
  name: string | undefined
  ask(method: string, params: object, id: number | undefined): Promise<unknown>
}

/** The Model Context Protocol as a real agent speaks it: it looks for tools as soon as its session is open. */
async function openTool([server]: z.infer<typeof serversSchema>): Promise<HubTool | undefined> {
  if (server === undefined) return undefined
  const ask: HubTool['ask'] = async (method, params, id) => {
    const headers = Object.fromEntries(server.headers.map(({ name, value }) => [name, value]))
    const body = JSON.stringify({ jsonrpc: '2.0', ...(id !== undefined && { id }), method, params })
    const accept = 'application/json, text/event-stream'
    const init = { method: 'POST', headers: { ...headers, accept, 'content-type': 'application/json' }, body }
    const answer = await fetch(server.url, init)
    return id === undefined ? answer.status : await answer.json()
  }
  await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'stub' } }, 1)
  await ask('notifications/initialized', {}, undefined)
  const { tools } = z
    .object({ result: z.object({ tools: z.array(z.object({ name: z.string() })) }) })
    .parse(await ask('tools/list', {}, 2)).result
  return { name: tools[0]?.name, ask }
}

/** Answers what the tool said. */
async function callTool(turn: Turn, result: object): Promise<string> {
  const tool = await turn.session.tool
  if (tool === undefined) return 'no tools'
  return JSON.stringify(await tool.ask('tools/call', { name: tool.name, arguments: result }, 3))
}

const MOODS: Record<string, (turn: Turn, argument: string, rest: string) => Promise<void> | void> = {
  write: async (turn, path, text) => await writeAsTool(turn, path, `${text}\n`),
  outside: (turn, path, text) => write(turn, path, text),
  say: async (turn, first, rest) => await turn.say(`${first} ${rest}`.trim()),
  think: async (turn, first, rest) =>
    await turn.update({
      sessionUpdate: 'agent_thought_chunk',
      content: { type: 'text', text: `${first} ${rest}`.trim() },
    }),
  plan: async (turn) =>
    await turn.update({
      sessionUpdate: 'plan',
      entries: [{ content: 'Write it', status: 'in_progress', priority: 'high' }],
    }),
  cost: async (turn, amount) =>
    await turn.update({
      sessionUpdate: 'usage_update',
      used: 100,
      size: 1_000,
      cost: { amount: Number(amount), currency: 'USD' },
    }),
  ask: async (turn, kind, path) => {
    const toolCallId = `ask-${turn.session.turns}-${path}`
    await turn.update({
      sessionUpdate: 'tool_call',
      toolCallId,
      title: `${kind} ${path}`,
      kind: kind as acp.ToolKind,
      status: 'pending',
      locations: path === '' ? [] : [{ path: resolve(turn.session.cwd, path) }],
    })
    const { outcome } = await turn.client.request(acp.methods.client.session.requestPermission, {
      sessionId: turn.session_id,
      // Only what changed, as real agents send it.
      toolCall: { toolCallId },
      options: [
        { optionId: 'o-1', name: 'Always', kind: 'allow_always' },
        { optionId: 'o-2', name: 'Yes', kind: 'allow_once' },
        { optionId: 'o-3', name: 'No', kind: 'reject_once' },
      ],
    })
    const granted = outcome.outcome === 'selected' && outcome.optionId === 'o-2'
    if (granted && path !== '') write(turn, path, 'with permission\n')
    await turn.say(granted ? 'granted' : `denied (${outcome.outcome === 'selected' ? outcome.optionId : 'cancelled'})`)
  },
  tell: async (turn, name) => await turn.say(`${name}=${process.env[name] ?? ''}\n`),
  spell: async (turn, name) => {
    const value = process.env[name] ?? ''
    await turn.say(value.slice(0, 9))
    await delay(300)
    await turn.say(`${value.slice(9)}\n`)
  },
  muse: async (turn, name) =>
    await turn.update({
      sessionUpdate: 'agent_thought_chunk',
      content: { type: 'text', text: `It is ${process.env[name] ?? ''}, I think` },
    }),
  jot: async (turn, name, path) => await writeAsTool(turn, path, `${process.env[name] ?? ''}\n`),
  shriek: (_turn, name) => {
    process.stderr.write(`no luck with ${process.env[name] ?? ''}\n`)
    process.exit(7)
  },
  link: (turn, path, target) => {
    const file = resolve(turn.session.cwd, path)
    mkdirSync(dirname(file), { recursive: true })
    rmSync(file, { recursive: true, force: true })
    symlinkSync(target, file)
  },
  pipe: (turn, path) => void execFileSync('mkfifo', [resolve(turn.session.cwd, path)]),
  listen: async (turn, file) => {
    const child = spawn(process.execPath, ['-e', LISTENER], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    const [port] = (await once(child.stdout, 'data')) as [Buffer]
    write(turn, file, port.toString())
  },
  attempt: async (turn, path) =>
    await turn.say(
      `${path}: ${attempt(() => {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, 'by the agent')
        return 'written'
      })}\n`,
    ),
  hang: untilCancelled,
  deaf: forever,
  sleep: async (_turn, ms) => await delay(Number(ms)),
  await: async (_turn, path) => {
    while (!existsSync(path)) await delay(20)
  },
  crash: () => {
    process.stderr.write('\u001B[31mstub: out of luck\u001B[0m\n')
    process.exit(7)
  },
  refuse: () => {
    throw new acp.RequestError(-32_603, 'Internal error', { details: 'the model answered 429' })
  },
  lie: (turn) => {
    turn.result.summary = 'Wrote spec.md and everything else.'
    turn.result.confidence = 100
  },
  question: (turn) => {
    turn.result.open_questions.push('Which provider is meant?')
  },
  flood: async (turn, count) => {
    for (let i = 0; i < Number(count); i += 1) {
      // Two kinds in turn, so that nothing can be joined.
      if (i % 2 === 0) await turn.say(`${i} ${'x'.repeat(200)}`)
      else await turn.update({ sessionUpdate: 'tool_call', toolCallId: `t${i}`, title: 'x'.repeat(200) })
    }
  },
  babble: async (_turn, count) => {
    for (let i = 0; i < Number(count); i += 1) process.stdout.write(`nonsense ${i}\n`)
    await forever()
  },
  bloat: async (_turn, mebibytes) => {
    for (let i = 0; i < Number(mebibytes); i += 1) process.stdout.write('x'.repeat(1024 * 1024))
    await forever()
  },
  submit: async (turn, confidence) => {
    turn.result.confidence = Number(confidence)
    await turn.say(
      `submitted: ${await callTool(turn, { ...turn.result, summary: `Handed in, ${turn.result.summary}` })}\n`,
    )
    turn.is_closed = true
  },
  gaps: async (turn, count) => {
    const path = join(turn.asked?.feature_directory ?? '', 'tasks.md')
    const text = readFileSync(resolve(turn.session.cwd, path), 'utf8')
    const found = text.split(': Convergence').length - 1
    const id = `T${String(text.split('- [').length).padStart(3, '0')}`
    if (turn.asked?.command === 'implement') {
      await writeAsTool(turn, path, text.replaceAll('- [ ]', '- [X]'))
      await writeAsTool(turn, `src/gap-${found}.txt`, 'closed\n')
    } else if (found < Number(count)) {
      await writeAsTool(
        turn,
        path,
        `${text}\n## Phase ${found + 2}: Convergence\n\n- [ ] ${id} Close it in src/gap-${found + 1}.txt\n`,
      )
    }
    turn.result.threads = (turn.asked?.feedback?.threads ?? []).map(({ id }) => ({
      id,
      fate: 'addressed',
      reply: 'Noted.',
    }))
  },
  spec: (turn, path) => write(turn, path, specification(turn.session.turns)),
  pace: async (turn, count, per_second) => {
    const begun = performance.now()
    for (let i = 0; i < Number(count); i += 1) {
      const due = begun + (i * 1000) / Number(per_second)
      if (due > performance.now() + 1) await new Promise((done) => setTimeout(done, due - performance.now()))
      await turn.update({ sessionUpdate: 'tool_call', toolCallId: `p${i}`, title: `update ${i}` })
    }
  },
  'submit-badly': async (turn) => await turn.say(`submitted: ${await callTool(turn, { confidence: 'high' })}\n`),
  mute: (turn) => {
    turn.is_closed = true
  },
  sulk: (turn) => {
    turn.session.sulks = true
  },
  fork: (turn, file) => leaveChild(turn, file, false),
  flee: (turn, file) => leaveChild(turn, file, true),
  swap: (turn, path, target) => leaveScript(turn, SWAPPER, path, target),
  flicker: (turn, path) => leaveScript(turn, FLICKERER, path),
  vanish,
  cat: async (turn, path) => await turn.say(`${path}: ${attempt(() => readFileSync(path, 'utf8'))}`),
  list: async (turn, path) => await turn.say(`${path}: ${attempt(() => readdirSync(path).join(' '))}\n`),
  pids: async (turn) =>
    await turn.say(`processes: ${readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length}\n`),
  connect: async (turn, path) => {
    const answer = await new Promise<string>((done) => {
      const socket = connect(path, () => done('connected')).on('error', (error) => done(codeOf(error)))
      socket.unref()
    })
    await turn.say(`${path}: ${answer}\n`)
  },
  reach: async (turn, host) => {
    const answer = await new Promise<string>((done) => {
      const socket = connect(443, host, () => done('connected')).on('error', (error) => done(codeOf(error)))
      socket.unref()
    })
    await turn.say(`${host}: ${answer}\n`)
  },
  fetch: async (turn, url) => {
    const answer = await fetch(url).then(
      ({ status }) => String(status),
      () => 'no answer',
    )
    await turn.say(`${url}: ${answer}\n`)
  },
  env: (turn, file) => write(turn, file, JSON.stringify(process.env)),
}

const specification = (turn: number): string => `# Feature Specification: Login

## User Scenarios & Testing

### User Story 1 - Sign in (Priority: P1)

1. **Given** an account, **When** they sign in, **Then** they are in.

## Requirements

- **FR-001**: People MUST be able to sign in (version ${turn}).

## Success Criteria

- **SC-001**: 9 of 10 people succeed.
`

function findAsked(prompt: string): Turn['asked'] {
  const block = /```json invocation\n([\s\S]*?)\n```/.exec(prompt)?.[1]
  return block === undefined ? undefined : invocationSchema.parse(JSON.parse(block))
}

async function beHonest(turn: Turn): Promise<void> {
  const { asked } = turn
  if (asked === undefined) {
    await turn.say('Nothing was asked for.')
    return
  }
  const file = PHASE_FILES[asked.command.replace('speckit.', '')]
  const feedback = asked.feedback?.text ?? 'none'
  const text = `# ${asked.command}\n\n${asked.feature_description}\n\nFeedback: ${feedback}\n\nTurn ${turn.session.turns}\n`
  if (file !== undefined) await writeAsTool(turn, join(asked.feature_directory, file), text)
  turn.result.threads = (asked.feedback?.threads ?? []).map(({ id }) => ({
    id,
    fate: 'addressed',
    reply: 'Done as asked.',
  }))
}

async function runPrompt(turn: Turn, prompt: string): Promise<acp.StopReason> {
  const steps = [...prompt.matchAll(/^stub: (\S+) ?(\S*) ?(.*)$/gm)]
  for (const [, mood = '', argument = '', rest = ''] of steps) {
    const step = MOODS[mood]
    if (step === undefined) throw acp.RequestError.invalidParams(undefined, `no such mood: ${mood}`)
    await step(turn, argument, rest)
    if (turn.session.cancel.signal.aborted) return 'cancelled'
  }
  if (steps.length === 0) await beHonest(turn)
  if (turn.is_closed || turn.session.sulks) return 'end_turn'
  await turn.say(`\nTurn ${turn.session.turns} is done.\n\n\`\`\`json result\n${JSON.stringify(turn.result)}\n\`\`\`\n`)
  return 'end_turn'
}

function remember(): void {
  const plain = [...known].map(([id, { cwd, turns }]) => [id, { cwd, turns }])
  writeFileSync(memory, JSON.stringify(Object.fromEntries(plain)))
}

function recall(session_id: string, cwd: string, servers: unknown): void {
  const stored = existsSync(memory)
    ? z.record(z.string(), z.object({ turns: z.number() })).parse(JSON.parse(readFileSync(memory, 'utf8')))
    : {}
  const found = stored[session_id]
  if (found === undefined) throw acp.RequestError.sessionNotFound(session_id)
  known.set(session_id, {
    cwd,
    tool: openTool(serversSchema.parse(servers)),
    sulks: false,
    turns: found.turns,
    cancel: new AbortController(),
  })
}

function getSession(session_id: string): Session {
  const session = known.get(session_id)
  if (session === undefined) throw acp.RequestError.sessionNotFound(session_id)
  return session
}

if (start === 'exit') {
  process.stderr.write('stub: no licence found\n')
  process.exit(3)
}
if (start === 'babble') for (let i = 0; i < 100; i += 1) process.stdout.write(`Welcome to the stub, line ${i}\n`)
if (start !== undefined) {
  if (start === 'deaf') process.on('SIGTERM', () => {})
  await forever()
}

acp
  .agent({ name: 'stub' })
  .onRequest(acp.methods.agent.initialize, () => ({
    protocolVersion: acp.PROTOCOL_VERSION,
    agentCapabilities: {
      loadSession: sessions === 'load',
      ...(sessions === 'resume' && { sessionCapabilities: { resume: {} } }),
    },
  }))
  .onRequest(acp.methods.agent.session.new, ({ params }) => {
    const sessionId = crypto.randomUUID()
    const tool = openTool(serversSchema.parse(params.mcpServers))
    known.set(sessionId, { cwd: params.cwd, tool, sulks: false, turns: 0, cancel: new AbortController() })
    return { sessionId }
  })
  .onRequest(acp.methods.agent.session.resume, ({ params }) => {
    recall(params.sessionId, params.cwd, params.mcpServers)
    return {}
  })
  .onRequest(acp.methods.agent.session.load, async ({ params, client }) => {
    recall(params.sessionId, params.cwd, params.mcpServers)
    await client.notify(acp.methods.client.session.update, {
      sessionId: params.sessionId,
      update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'replayed history' } },
    })
    return {}
  })
  .onRequest(acp.methods.agent.session.setMode, ({ params }) => {
    getSession(params.sessionId)
    if (params.modeId === 'unknown') throw acp.RequestError.invalidParams(undefined, 'no such mode')
    return {}
  })
  .onNotification(acp.methods.agent.session.cancel, ({ params }) => known.get(params.sessionId)?.cancel.abort())
  .onRequest(acp.methods.agent.session.prompt, async ({ params, client }) => {
    const begun = performance.now()
    const session = getSession(params.sessionId)
    session.turns += 1
    session.cancel = new AbortController()
    const update = async (next: acp.SessionUpdate): Promise<void> =>
      await client.notify(acp.methods.client.session.update, { sessionId: params.sessionId, update: next })
    const prompt = params.prompt.map((block) => (block.type === 'text' ? block.text : '')).join('\n')
    const turn: Turn = {
      session,
      session_id: params.sessionId,
      client,
      update,
      say: async (text) => await update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } }),
      is_closed: false,
      asked: findAsked(prompt),
      result: { summary: `Turn ${session.turns}`, confidence: 80, open_questions: [], threads: [] },
    }
    const stopReason = await runPrompt(turn, prompt)
    remember()
    appendFileSync(join(homedir(), 'stub-times'), `${performance.now() - begun}\n`)
    return { stopReason }
  })
  .connect(
    acp.ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>),
  )
