import type { Notes } from './note-store.ts'
import type { Step } from './workflow-steps.ts'

/** What reviewers noted beside the verdict is told with it: answers among its words, ticks among its facts. */
export function notedStep(step: Step, notes: Notes): Step {
  const answers = notes.answers.flatMap(({ question, answer, actor: by }) =>
    answer === null ? [] : [{ question, answer, by }],
  )
  const ticks = notes.ticks.map(({ path, label, ticked, actor: by }) => ({ path, label, ticked, by }))
  return {
    ...step,
    ...(answers.length > 0 && { words: { ...step.words, answers } }),
    ...(ticks.length > 0 && { metadata: { ...step.metadata, ticks } }),
  }
}
