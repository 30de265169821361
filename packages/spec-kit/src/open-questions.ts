import { proseLines } from './prose.ts'

export interface OpenQuestion {
  /** Empty where the marker has no words. */
  text: string
  line: number
}

/** The question of each `[NEEDS CLARIFICATION: …]` on a line. */
export const openMarkers = (text: string): string[] =>
  [...text.matchAll(/\[NEEDS CLARIFICATION\b:?([^\]]{0,1000})/g)].map((match) => (match[1] ?? '').trim())

/** Every question that a document leaves open, in its order. */
export const openQuestions = (text: string): OpenQuestion[] =>
  proseLines(text).flatMap((line) => openMarkers(line.text).map((text) => ({ text, line: line.number })))
