import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { exchangePageSchema, invokeResponseSchema } from '@orchestrator/contract'

import { specify, startHubProcess, STUB, type HubProcess } from '../services/agent-hub/tests/hub-process.ts'
import { runRules } from '../services/agent-hub/src/spec-kit/checks/registry.ts'
import { watchAgents } from '../tests/agents/processes.ts'
import { median, percentile, report } from './statistics.ts'

/**
 * What the hub adds to an agent's own work: `node bench/hub.ts`. The agents are programs without a model: the stub of
 * the tests, which notes how long it worked itself, and the demo agent. Takes about a minute; `node bench/hub.ts turns`
 * takes one part of it: turns, fan-out, together, cancel or checks.
 */
const folder = await mkdtemp(join(tmpdir(), 'bench-hub-'))
const repository = join(folder, 'shop')
await mkdir(repository)
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], { cwd: repository })
git('init', '--quiet', '--initial-branch=main')
const REWORKS = 60
/** Before them, so that the code has been compiled. */
const WARM_UP = 60
// As many files as a small real project has: what grows with the repository shall show.
for (let at = 0; at < 500; at++) {
  await mkdir(join(repository, `src/${at % 20}`), { recursive: true })
  await writeFile(join(repository, `src/${at % 20}/file-${at}.ts`), `export const value = ${at}\n`.repeat(40))
}
git('add', '--all')
git('commit', '--quiet', '-m', 'first')

const hub = await startHubProcess({
  folder,
  env: { WORKSPACE: repository, HUB_MAX_RUNNING: '20' },
})
const held: boolean[] = []
try {
  if (wanted('turns')) held.push(...(await turns(hub)))
  if (wanted('fan-out')) held.push(...(await fanOut(hub)))
  if (wanted('together')) held.push(...(await together()))
  if (wanted('cancel')) held.push(await cancel(hub))
  if (wanted('checks')) held.push(checks())
} finally {
  await hub.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = held.every(Boolean) ? 0 : 1

function wanted(part: string): boolean {
  const asked = process.argv.slice(2)
  return asked.length === 0 || asked.includes(part)
}

/** How long the stub worked itself, prompt by prompt. */
async function ownTimes(): Promise<number[]> {
  const homes = join(folder, 'data/homes')
  const texts = await Promise.all(
    (await readdir(homes)).map(async (name) => readFile(join(homes, name, 'stub-times'), 'utf8').catch(() => '')),
  )
  return texts.flatMap((text) => text.split('\n').filter(Boolean).map(Number))
}

function sum(times: readonly number[]): number {
  return times.reduce((all, time) => all + time, 0)
}

/**
 * A specification and its reworks in one session, whose agent stays alive. Of each turn the time from `POST /invoke` to
 * its answer, when the branch with its commit is in the repository, less what the agent worked itself.
 */
async function turns(hub: HubProcess): Promise<boolean[]> {
  const overhead: number[] = []
  const commits: (string | null | undefined)[] = []
  let session_id: string | undefined
  for (let attempt = 1; attempt <= 1 + WARM_UP + REWORKS; attempt++) {
    const before = sum(await ownTimes())
    const begun = performance.now()
    const answer = await hub.invoke(STUB, reworkRequest(attempt, session_id))
    const told: unknown = await answer.json()
    const took = performance.now() - begun
    const { session_id: kept, checks = [], commit } = invokeResponseSchema.safeParse(told).data?.result?.data ?? {}
    if (kept === undefined || checks.some(({ level }) => level !== 'pass')) throw new Error(JSON.stringify(told))
    session_id = kept
    commits.push(commit)
    overhead.push(took - (sum(await ownTimes()) - before))
  }
  const moves = git('log', '--format=%H', '--reverse', 'main..001-login').toString().trim().split('\n')
  if (moves.join() !== commits.join()) throw new Error('The branch in the repository is not what the answers told.')
  const [first = 0] = overhead
  const reworks = overhead.slice(-REWORKS)
  console.log(`  first turn, with the start of the agent: ${Math.round(first)} ms`)
  const page = await (await hub.fetch('/exchanges?feature_id=001-login&limit=200')).json()
  const own = await ownTimes()
  const prompts = exchangePageSchema.parse(page).items.map(({ duration_ms }, at) => duration_ms - (own[at] ?? 0))
  console.log(`  of a rework turn for the prompt itself, p50: ${median(prompts.slice(-REWORKS)).toPrecision(2)} ms`)
  const what = 'a rework turn beyond the agent’s own time, from POST /invoke to its answer, session kept alive'
  return [
    report(`${what}, p50`, median(reworks), 'ms', { at_most: 30 }),
    report(`${what}, p95`, percentile(reworks, 0.95), 'ms', { at_most: 150 }),
  ]
}

function reworkRequest(attempt: number, session_id: string | undefined): object {
  const body = specify(['spec specs/001-login/spec.md'], { feature_id: '001-login', parameters: { attempt } })
  if (session_id === undefined) return body
  const text = 'Say what happens when the password is wrong.'
  const threads = [{ id: crypto.randomUUID(), path: 'specs/001-login/spec.md', lines: { start: 3, end: 3 }, text }]
  const feedback = { verdict: 'changes_requested', text, threads }
  return { ...body, session_id, context: { ...body.context, feedback } }
}

/** 1,000 updates a second of one session, read by five at once. */
async function fanOut(hub: HubProcess): Promise<boolean[]> {
  const COUNT = 5000
  const { id } = await hub.start(STUB, specify([`pace ${COUNT} 1000`], { feature_id: '002-updates' }))
  const readers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const events = await hub.events(id)
      const seen = events.flatMap(({ type, data }) => (type === 'agent.update' ? [data.tool_call?.id] : []))
      return Array.from({ length: COUNT }, (_, at) => `p${at}`).filter((name) => !seen.includes(name)).length
    }),
  )
  const { started_at, finished_at } = await hub.get(id)
  const seconds = (Date.parse(finished_at ?? '') - Date.parse(started_at ?? '')) / 1000
  return [
    report('updates of 5,000 that one of five readers missed', Math.max(...readers), '', { at_most: 0 }),
    report('seconds for 5,000 updates at 1,000 a second, with the start of the agent', seconds, 's', { at_most: 8 }),
  ]
}

/** 20 at once, where the memory has room for six: the others wait, and none is lost. */
async function together(): Promise<boolean[]> {
  const limit_mb = 700
  const own = join(folder, 'limited')
  await mkdir(own)
  const hub = await startHubProcess({
    folder: own,
    env: { WORKSPACE: repository, HUB_MAX_RUNNING: '20', HUB_MEMORY_MB: String(limit_mb) },
  })
  try {
    const watching = new AbortController()
    const watched = watchAgents(join(own, 'data'), watching.signal)
    const begun = performance.now()
    const ids = Array.from({ length: 20 }, (_, at) => `${String(100 + at)}-feature`)
    const answers = await Promise.all(
      ids.map(
        async (feature_id) =>
          (await hub.invoke('demo', specify([], { feature_id }))).json() as Promise<{ success: boolean }>,
      ),
    )
    const took = Math.round(performance.now() - begun)
    watching.abort()
    const { memory_mb, processes } = await watched
    console.log(`  20 demo agents at once: ${took} ms for all, ${processes} processes at the most`)
    const failed = answers.filter(({ success }) => !success).length
    return [
      report('of 20 demo agents at once, those that failed', failed, '', { at_most: 0 }),
      report(`memory of all agents with HUB_MEMORY_MB=${limit_mb}, highest`, memory_mb, 'MiB', { at_most: limit_mb }),
    ]
  } finally {
    await hub.stop()
  }
}

/** An agent that hears no cancel and no SIGTERM, with a child outside of its process group. */
async function cancel(hub: HubProcess): Promise<boolean> {
  const { id } = await hub.start(STUB, specify(['flee pid', 'deaf'], { feature_id: '003-deaf' }))
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const begun = performance.now()
  await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })
  await hub.finish(id)
  return report('cancel of a deaf agent until its processes are gone', (performance.now() - begun) / 1000, 's', {
    at_most: 11,
  })
}

/** The rules for tasks.md, on 2,000 tasks. */
function checks(): boolean {
  const directory = 'specs/001-login'
  const lines = Array.from({ length: 2000 }, (_, at) => {
    const heading = at % 50 === 0 ? `\n## Phase ${at / 50 + 1}: User Story ${at / 50 + 1}\n\n` : ''
    return `${heading}- [X] T${String(at + 1).padStart(4, '0')} [P] [US${Math.floor(at / 50) + 1}] Do it in src/a-${at}.ts and tests/a-${at}.test.ts`
  })
  const files = {
    feature_directory: directory,
    changes: [{ path: `${directory}/tasks.md`, change: 'modified' as const }],
    texts: new Map([[`${directory}/tasks.md`, lines.join('\n')]]),
    before: new Map([[`${directory}/tasks.md`, lines.join('\n').replaceAll('[X]', '[ ]')]]),
    paths: new Set(lines.map((_, at) => `src/a-${at}.ts`)),
    unreadable: new Map(),
    templates: new Map(),
    closing: '',
  }
  const samples = (['tasks', 'implement', 'converge'] as const).flatMap((command) =>
    Array.from({ length: 20 }, () => {
      const begun = process.cpuUsage()
      runRules(command, { ...files })
      const { user, system } = process.cpuUsage(begun)
      return (user + system) / 1000
    }),
  )
  return report('checks on a tasks.md of 2,000 tasks, p95 of the CPU time', percentile(samples, 0.95), 'ms', {
    at_most: 50,
  })
}
