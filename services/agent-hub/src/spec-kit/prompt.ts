import type { Check, Feedback, InvokeRequest } from '@orchestrator/contract'
import { checklistItems } from '@orchestrator/spec-kit'

import type { WorkingCopy } from '../core/ports.ts'
import { BUILT_IN_COMMANDS } from './built-in-commands.ts'
import { commandOf, type Command } from './command.ts'
import { findInstalledCommand } from './installed-command.ts'
import { formatInvocationBlock } from './invocation-block.ts'

/** The one text block for the agent. It begins with prose: agents take a leading `/` or `$` for a command of their own. */
export async function buildPrompt(request: InvokeRequest, working_copy: WorkingCopy): Promise<string> {
  const command = commandOf(request)
  const installed = await findInstalledCommand(working_copy, command, userText(request, command))
  const built_in = `${BUILT_IN_COMMANDS[command]}\n\n### Description of the feature\n\n${request.context.feature_description}`
  const body = (installed?.text ?? built_in).replaceAll('{directory}', () => working_copy.feature_directory)
  return join([
    `This is the Spec Kit command “${command}” for the feature ${request.context.feature_id}, attempt ${attemptOf(request)}. You work in the root of a git working copy that is yours alone.`,
    section('Rules of this run', await rules(command, working_copy)),
    section(installed === undefined ? 'What to do' : `What to do (from ${installed.path})`, defuse(body)),
    answersSection(request),
    feedbackSection(request),
    section('This run, for programs', formatInvocationBlock(blockOf(request, command, working_copy.feature_directory))),
    section('When you are done', CLOSING),
  ])
}

/** Asks for what the checks found, in the same session. */
export function buildRepairPrompt(request: InvokeRequest, failed: readonly Check[]): string {
  const command = commandOf(request)
  const found = failed.map(({ id, message, path, line }) => `- ${placeOf(path, line)}${message} (${id})`).slice(0, 100)
  return join([
    `The files were checked after the command “${command}”, and it is not done yet. Please mend exactly this, and keep everything else as it is:`,
    defuse(found.join('\n')),
    section(
      'This run, for programs',
      formatInvocationBlock(blockOf(request, command, `specs/${request.context.feature_id}`)),
    ),
    section('When you are done', CLOSING),
  ])
}

/** Asks for nothing but the result. */
export function buildResultPrompt(request: InvokeRequest): string {
  return join([
    `Your turn for the command “${commandOf(request)}” ended without its result. Change no file now: only hand in the result of what you did.`,
    CLOSING,
  ])
}

const CLOSING = `Close with a short message for the reviewer: what you did, what you left out and why. If you have the tool \`submit_result\`, call it once before that, when all is done. If you do not have it, end the message with exactly one fenced block that opens with \`\`\`\`\`json result\`\`\` and holds this JSON, and nothing after it:

{"summary": "one sentence", "confidence": 0 to 100, "files": ["path of each file you wrote"], "open_questions": ["…"], "threads": [{"id": "id of a reviewer’s comment", "fate": "addressed" or "declined", "reply": "what you changed, or why not"}]}`

const join = (parts: readonly string[]): string => `${parts.filter((part) => part !== '').join('\n\n')}\n`
const section = (title: string, text: string): string => `## ${title}\n\n${text}`
const placeOf = (path: string | null, line: number | null): string =>
  path === null ? '' : `${path}${line === null ? '' : `:${line}`}: `
const attemptOf = (request: InvokeRequest): number => Math.max(1, request.parameters.attempt ?? 1)

/** Foreign text never opens a block that only we may open. */
const defuse = (text: string): string => text.replaceAll('json invocation', 'json').replaceAll('json result', 'json')

/** What stands for the words behind a slash command. */
function userText({ context }: InvokeRequest, command: Command): string {
  const feedback = context.feedback?.text ?? ''
  return command === 'specify' || feedback === ''
    ? context.feature_description
    : `${context.feature_description}\n\n${feedback}`
}

async function rules(command: Command, working_copy: WorkingCopy): Promise<string> {
  const directory = working_copy.feature_directory
  const lines = [
    `The feature’s folder is \`${directory}\`. It is given: choose no other number or name, make no branch, and do not commit; that is done for you.`,
    'Nobody is at the keyboard. Do not ask and do not wait: where something is open, write `[NEEDS CLARIFICATION: <question>]` at that spot if the command allows it, else decide, say so, and go on to the end.',
    'Write only inside this working copy. Keep secrets out of every file.',
    'Checklist items are ticked by reviewers only.',
  ]
  if (command === 'implement') {
    const checklists = await describeChecklists(working_copy)
    lines.push(
      checklists.length === 0
        ? 'There are no checklists to wait for: the reviewer has approved the tasks. Go on.'
        : `The reviewer has approved the work to go on with these checklists as they are: ${checklists.join(', ')}. Do not stop at unticked items.`,
    )
  }
  return lines.map((line) => `- ${line}`).join('\n')
}

/** What a person decided is no suggestion: the words are given with the question and the place that asked. */
function answersSection({ context: { feedback } }: InvokeRequest): string {
  const answers = feedback?.answers ?? []
  if (answers.length === 0) return ''
  const told = answers.map(({ question, answer, path, line }) => {
    const place = path === null ? '' : ` (${path}${line === null ? '' : `, line ${line}`})`
    return `- ${question === '' ? 'What is open' : question}${place}\n${indent(`→ ${answer}`)}`
  })
  const intro = 'These are decided. Bring each into the document where it belongs and take its marker away.'
  return section('Answers to what was open', defuse([intro, told.join('\n')].join('\n\n')))
}

/** `specs/…/ux.md` (7 of 9 items ticked). */
async function describeChecklists(working_copy: WorkingCopy): Promise<string[]> {
  const paths = (await working_copy.look()).files.filter((path) =>
    path.startsWith(`${working_copy.feature_directory}/checklists/`),
  )
  return Promise.all(
    paths.map(async (path) => {
      const items = checklistItems(new TextDecoder().decode(await working_copy.readFile(path).catch(() => undefined)))
      const ticked = items.filter((item) => item.ticked).length
      return `\`${path}\` (${ticked} of ${items.length} item${items.length === 1 ? '' : 's'} ticked)`
    }),
  )
}

function feedbackSection({ context: { feedback } }: InvokeRequest): string {
  if (feedback === undefined || !hasComments(feedback)) return ''
  const threads = feedback.threads.map(({ id, path, lines, quote, text, replacement }) => {
    const place =
      path === undefined
        ? 'on the whole'
        : `on ${path}${lines === undefined ? '' : `, lines ${lines.start} to ${lines.end}`}`
    return [
      `- Comment ${id}, ${place}:`,
      ...(quote === undefined ? [] : [indent(`about “${quote}”`)]),
      indent(text),
      ...(replacement === undefined ? [] : [indent(proposal(replacement))]),
    ].join('\n')
  })
  const intro = feedback.verdict === 'approved' ? NOTES_INTRO : REWORK_INTRO
  return section(
    'What the reviewer said',
    defuse([intro, threads.length > 0 ? threads.join('\n') : feedback.text].join('\n\n')),
  )
}

/** The readable text repeats the answers; without threads it is a comment only where there are none. */
const hasComments = ({ text, threads, answers }: Feedback): boolean =>
  threads.length > 0 || (text !== '' && answers === undefined)

const REWORK_INTRO =
  'This is a rework. The files hold your last version. Change what the reviewer asks for, keep the rest, and answer every comment by its id in the closing block. Lines are those of the version that was reviewed.'
const NOTES_INTRO =
  'The reviewer approved the phase before, with these notes for this one. Heed each of them in what you do now, and answer every one by its id in the closing block.'

const proposal = (replacement: string): string =>
  replacement === '' ? 'proposed: remove these lines' : `proposed in place of these lines:\n${replacement}`

const indent = (text: string): string => text.replace(/^/gm, '  ')

function blockOf(
  request: InvokeRequest,
  command: Command,
  feature_directory: string,
): Parameters<typeof formatInvocationBlock>[0] {
  const { context, workflow_type } = request
  return {
    command,
    feature_id: context.feature_id,
    feature_directory,
    feature_description: context.feature_description,
    workflow_type,
    phase: context.phase,
    attempt: attemptOf(request),
    additional_context: context.additional_context ?? null,
    feedback: context.feedback ?? null,
  }
}
