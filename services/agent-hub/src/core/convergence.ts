import { invokeRequestSchema, type Check, type InvokeRequest } from '@orchestrator/contract'

import { warning, type Finish } from './outcome.ts'
import { runStep, type Step, type StepParts } from './phase-step.ts'
import type { AgentResult, Look, OpenWorkingCopy } from './ports.ts'
import { readResult } from './result-block.ts'

/** What still has gaps after three rounds has one that the agent does not see: a person looks first. */
const ROUNDS_MAX = 3

/** The row by which a reviewer sees how it ended; the checks tell it for one turn only. */
const OUTCOME = 'converge-outcome'

interface Named {
  name: string
  step: Step
}

interface Ending {
  converged: boolean
  rounds: number
  appended: number
  open: number
}

/**
 * `implement` phase_2 in one attempt: look for gaps between code and documents; where tasks were appended for them,
 * implement those and look again. Whether it converged is told by tasks.md, never by the agent.
 */
export async function runConvergence(o: StepParts & { working_copy: OpenWorkingCopy }): Promise<Step | Finish> {
  const steps: Named[] = []
  const ending: Ending = { converged: false, rounds: 0, appended: 0, open: 0 }
  while (ending.rounds < ROUNDS_MAX) {
    ending.rounds += 1
    const before = o.working_copy.since(await o.working_copy.snapshot())
    const looked = await runStep({ ...o, working_copy: before, request: requestFor(o.request, 'converge', steps) })
    if ('status' in looked) return looked
    steps.push({ name: `Round ${ending.rounds}, converge`, step: looked })
    const { appended, open } = await o.parts.spec_kit.countTasks(before)
    ending.appended += appended
    ending.open = open
    ending.converged = appended === 0 && open === 0
    if (appended === 0) break

    const count = appended === 1 ? 'One task was' : `${appended} tasks were`
    o.input.onUpdate({ kind: 'note', text: `${count} appended: the agent is asked to implement them.` })
    const gaps = o.working_copy.since(await o.working_copy.snapshot())
    const built = await runStep({ ...o, working_copy: gaps, request: requestFor(o.request, 'implement', steps) })
    if ('status' in built) return built
    steps.push({ name: `Round ${ending.rounds}, implement`, step: built })
    ending.open = (await o.parts.spec_kit.countTasks(gaps)).open
  }
  return joinSteps(steps, ending, await o.working_copy.look())
}

/** The reviewer's comments are for the first turn: told again, they would be new gaps in each round. */
function requestFor(request: InvokeRequest, command: string, steps: readonly Named[]): InvokeRequest {
  const { context, parameters } = request
  return invokeRequestSchema.parse({
    ...request,
    context: steps.length === 0 ? context : { ...context, feedback: undefined },
    parameters: { ...parameters, command: `speckit.${command}` },
  })
}

function joinSteps(steps: readonly Named[], ending: Ending, look: Look): Step | Finish {
  const last = steps.at(-1)
  if (last === undefined) throw new Error('There is always a first round.')
  const results = steps.map(({ step }) => readResult(step.outcome).result)
  const rows = joinChecks(steps).filter(({ id }) => id !== OUTCOME)
  return {
    outcome: { ...last.step.outcome, result: joinResults(results, describe(ending)) },
    look,
    checks: [...rows, judge(ending)],
    data: { convergence: { ...ending } },
  }
}

const tasks = (count: number) => `${count} task${count === 1 ? '' : 's'}`

function describe({ converged, rounds, appended, open }: Ending): string {
  const built = appended === 0 ? '' : ` ${tasks(appended)} appended, in ${rounds} round${rounds === 1 ? '' : 's'}.`
  if (converged) return `Converged.${built}`
  const left = open === 0 ? '' : ` ${tasks(open)} not done.`
  return rounds === ROUNDS_MAX && appended > 0
    ? `Not known to have converged: the last of ${ROUNDS_MAX} rounds still found gaps.${built}${left}`
    : `Not converged.${built}${left}`
}

function judge(ending: Ending): Check {
  const message = describe(ending)
  return ending.converged ? { id: OUTCOME, level: 'pass', message, path: null, line: null } : warning(OUTCOME, message)
}

/** What holds in every turn is told once, the rest with the turn that it is about. */
function joinChecks(steps: readonly Named[]): Check[] {
  const [only, ...more] = steps
  if (only !== undefined && more.length === 0) return only.step.checks
  const found = steps.flatMap(({ name, step }) =>
    step.checks
      .filter(({ level }) => level !== 'pass')
      .map((check) => ({ ...check, message: `${name}: ${check.message}` })),
  )
  const told = new Set(found.map(({ id }) => id))
  const holding = steps.flatMap(({ step }) => step.checks).filter(({ level }) => level === 'pass')
  return [...found, ...new Map(holding.filter(({ id }) => !told.has(id)).map((check) => [check.id, check])).values()]
}

/** As sure as the less sure of the last two turns. Null when no turn gave a result. */
function joinResults(results: readonly (AgentResult | undefined)[], ending: string): AgentResult | null {
  const given = results.filter((result) => result !== undefined)
  if (given.length === 0) return null
  const said = given.at(-1)?.summary
  const answers = new Map(given.flatMap(({ threads }) => threads.map((thread) => [thread.id, thread])))
  return {
    summary: said === null || said === undefined ? ending : `${ending} The agent: ${said}`,
    confidence: Math.min(...results.slice(-2).map((result) => result?.confidence ?? 0)),
    files: [...new Set(given.flatMap(({ files }) => files))],
    open_questions: [...new Set(given.flatMap(({ open_questions }) => open_questions))],
    threads: [...answers.values()],
  }
}
