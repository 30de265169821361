import type { Invocation } from './invocation.ts'

/** What a command has to go on. Paths are relative to the working copy. */
export interface CommandInput {
  invocation: Invocation
  /** `YYYY-MM-DD`. */
  date: string
  findFile: (path: string) => Promise<string | undefined>
  /** Files below a folder, sorted. */
  listFiles: (folder: string) => Promise<string[]>
}

export interface FileWrite {
  path: string
  content: string
}

/** One entry of the plan that a person watches. */
export interface Step {
  title: string
  thought?: string
  writes: FileWrite[]
}

export interface ThreadAnswer {
  id: string
  fate: 'addressed' | 'declined'
  reply: string
}

export interface Outcome {
  reads: string[]
  steps: Step[]
  /** The closing message: Markdown for a person. */
  report: string
  summary: string
  /** 0 to 100. */
  confidence: number
  open_questions: string[]
  threads: ThreadAnswer[]
}

export type Command = (input: CommandInput) => Promise<Outcome>

/** The closing block that the hub reads. */
export const resultBlock = ({ summary, confidence, open_questions, threads }: Outcome): string =>
  `\`\`\`json result\n${JSON.stringify({ summary, confidence, open_questions, threads }, null, 2).replaceAll('`', '\\u0060')}\n\`\`\``

/** Those of the documents that differ from what is there. */
export async function written(
  documents: ReadonlyMap<string, string>,
  findFile: CommandInput['findFile'],
): Promise<FileWrite[]> {
  const writes: FileWrite[] = []
  for (const [path, content] of documents) if ((await findFile(path)) !== content) writes.push({ path, content })
  return writes
}
