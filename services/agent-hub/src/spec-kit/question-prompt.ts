import type { QuestionInput, WorkingCopy } from '../core/ports.ts'

/** One question, for an agent that may look but not touch. */
export function buildQuestionPrompt(question: QuestionInput, working_copy: WorkingCopy): string {
  const { topic, context, added } = question
  const parts = [
    `A question about the feature ${question.feature_id}, on the topic “${topic}”. You are in the root of a git working copy; the feature’s documents are in \`${working_copy.feature_directory}\`. Look at what you need to answer, and change nothing: whatever you write is thrown away.`,
    `## The question\n\n${defuse(question.question)}`,
    ...(context === undefined ? [] : [`## What is known\n\n${defuse(JSON.stringify(context, null, 2))}`]),
    ...(added === undefined
      ? []
      : [`## What a person added\n\nYou were asked this before and were not sure.\n\n${defuse(added)}`]),
    `## Your answer\n\nNobody is at the keyboard, so do not ask back. Say in your closing message how you came to the answer. If you have the tool \`submit_result\`, call it once with the answer as \`summary\` and how sure you are as \`confidence\`: 0 when you do not know. If you do not have it, end the message with exactly one fenced block that opens with \`\`\`\`json result\`\`\` and holds {"summary": "the answer", "confidence": 0 to 100}.`,
  ]
  return `${parts.join('\n\n')}\n`
}

/** Foreign text never opens a block that only we may open. */
const defuse = (text: string): string => text.replaceAll('json invocation', 'json').replaceAll('json result', 'json')
