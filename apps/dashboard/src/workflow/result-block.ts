/** The words of an agent's message, and the block that is meant for the service and not for a person. */
export interface SplitMessage {
  words: string
  result: string | null
}

const RESULT = /```json result\s*\n([\s\S]*?)(?:```|$)/

/** Takes the closing `json result` block out of a message; while it streams in, it may lack its end. */
export function splitMessage(text: string): SplitMessage {
  const match = RESULT.exec(text)
  if (match === null) return { words: text.trim(), result: null }
  const words = text.slice(0, match.index) + text.slice(match.index + match[0].length)
  return { words: words.trim(), result: (match[1] ?? '').trim() }
}
