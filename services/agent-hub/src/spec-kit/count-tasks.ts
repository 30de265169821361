import { taskLines } from '@orchestrator/spec-kit'

import type { WorkingCopy } from '../core/ports.ts'

/** By the lines of tasks.md, now and before: what an agent says of it plays no part. */
export async function countTasks(working_copy: WorkingCopy): Promise<{ appended: number; open: number }> {
  const path = `${working_copy.feature_directory}/tasks.md`
  const before = readTasks((await working_copy.readCommitted([path])).get(path))
  // A file that cannot be read is an error of the checks already.
  const now = readTasks(await working_copy.readFile(path).catch(() => undefined))
  return { appended: Math.max(0, now.length - before.length), open: now.filter((task) => !task.ticked).length }
}

const readTasks = (bytes: Uint8Array | undefined) => taskLines(new TextDecoder().decode(bytes))
