import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What a program of ours said, when it ended well. Throws what it wrote on stderr otherwise. */
export async function runProgram(path: string, words: readonly string[], env: NodeJS.ProcessEnv): Promise<unknown> {
  const child = spawn(process.execPath, [path, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0) throw new ProgramError(error.trim())
  return JSON.parse(out)
}

/** An expected refusal: its message is a sentence for a person. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
}
