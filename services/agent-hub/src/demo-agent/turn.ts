import type { AgentContext } from '@agentclientprotocol/sdk'

import { COMMANDS } from './commands.ts'
import { findInvocation } from './invocation.ts'
import { resultBlock, type Outcome } from './outcome.ts'
import { createProgress, type Progress } from './progress.ts'
import { featureDirectory, openWorkingFiles, type WorkingFiles } from './working-files.ts'

export interface TurnInput {
  client: AgentContext
  session_id: string
  cwd: string
  prompt: string
  signal: AbortSignal
  settings: TurnSettings
}

export interface TurnSettings {
  pace_ms: number
  /** `YYYY-MM-DD`, written into documents. */
  today(): string
  feature_directory: string | undefined
}

/** One prompt: reads what is asked, does it step by step, and closes with the result. Rejects once it is cancelled. */
export async function runTurn({ client, session_id, cwd, prompt, signal, settings }: TurnInput): Promise<void> {
  const progress = createProgress({ client, session_id, cwd, pace_ms: settings.pace_ms, signal })
  const block = findInvocation(prompt)
  const command = block === undefined ? undefined : COMMANDS.get(block.command)
  if (block === undefined || command === undefined) {
    await refuse(progress, block?.command)
    return
  }
  const files = await openWorkingFiles(cwd)
  const invocation = {
    ...block,
    feature_directory: featureDirectory(cwd, settings.feature_directory, block.feature_directory),
  }
  const outcome = await command({
    invocation,
    date: settings.today(),
    findFile: (path) => files.findFile(path),
    listFiles: (folder) => files.listFiles(folder),
  })
  await perform(outcome, files, progress)
}

async function perform(outcome: Outcome, files: WorkingFiles, progress: Progress): Promise<void> {
  for (const path of outcome.reads) await progress.tool(`Read ${path}`, 'read', path, () => Promise.resolve(undefined))
  for (const [index, step] of outcome.steps.entries()) {
    await progress.plan(outcome.steps, index)
    if (step.thought !== undefined) await progress.think(step.thought)
    for (const { path, content } of step.writes) {
      await progress.tool(`Write ${path}`, 'edit', path, async () => {
        await files.writeFile(path, content)
        return `${content.split('\n').length} lines`
      })
    }
  }
  await progress.plan(outcome.steps, outcome.steps.length)
  await progress.say(`${outcome.report}\n\n${resultBlock(outcome)}\n`)
}

async function refuse(progress: Progress, command: string | undefined): Promise<void> {
  const summary =
    command === undefined
      ? 'The prompt holds no readable `json invocation` block, and the offline demo agent reads nothing else.'
      : `The offline demo agent knows no command “${command}”. It knows: ${[...COMMANDS.keys()].join(', ')}.`
  const outcome = { reads: [], steps: [], report: summary, summary, confidence: 0, open_questions: [], threads: [] }
  await progress.say(`${summary}\n\n${resultBlock(outcome)}\n`)
}
