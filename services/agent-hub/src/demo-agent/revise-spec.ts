import { concernsOf } from './concerns.ts'
import { readComment, type ReviewComment } from './comments.ts'
import { shorten, trimPunctuation, uncapitalise } from './clean-text.ts'
import { insertAfterLast, nextNumber, sectionRange } from './markdown-edits.ts'
import type { Edit } from './revise.ts'
import { scenarioText, statementAsRequirement } from './spec-document.ts'

/** A wish becomes a numbered requirement, an acceptance scenario and, where one is known, an edge case; a question becomes an edge case. */
export function integrateIntoSpec(text: string, comment: ReviewComment): Edit {
  const intent = readComment(comment)
  const concern = concernsOf(comment.text)[0]
  if (intent.kind === 'ask') {
    const answer =
      concern?.edge[1] ??
      'Proposed: the action is refused with a sentence that says what to do, and nothing is left half done.'
    return {
      text: addEdgeCase(text, intent.question, answer),
      done: `Added an edge case that answers it: “${shorten(answer, 120)}”`,
    }
  }
  const { statement, topic } =
    intent.kind === 'require'
      ? intent
      : { statement: trimPunctuation(comment.text), topic: trimPunctuation(comment.text) }
  const known = concern?.requirements.find((requirement) => !text.includes(requirement))
  const about = statement.replace(/\s*\b(?:in|to|for) (?:user )?story \d+/i, '')
  const own_words = /\b(?:must|shall|should|can|may|has to|have to|needs? to|only|never|always)\b/i.test(statement)
  const requirement = own_words
    ? statementAsRequirement(about)
    : (known ??
      `The system MUST ${/^(?:please )?(?:add|include|support|we need|offer)\b/i.test(statement) ? 'offer' : 'cover'} ${uncapitalise(topic)}.`)
  const id = `FR-${nextNumber(text, 'FR-')}`
  const with_requirement =
    insertAfterLast(text, /^- \*\*FR-\d+\*\*/, `- **${id}**: ${requirement}`) ??
    `${text.trimEnd()}\n\n- **${id}**: ${requirement}\n`
  const scenario =
    known !== undefined && concern !== undefined
      ? scenarioText(concern.scenario)
      : scenarioText({
          given: `what ${id} speaks of is at hand`,
          when: 'somebody goes through this story',
          outcome: own_words ? `it holds that ${uncapitalise(about)}` : `they find ${uncapitalise(topic)}`,
        })
  const placed = addScenario(with_requirement, scenario, storyOf(text, comment))
  const with_edge =
    known !== undefined && concern !== undefined && !placed.text.includes(concern.edge[0])
      ? addEdgeCase(placed.text, ...concern.edge)
      : placed.text
  return { text: with_edge, done: `Added ${id} (“${shorten(requirement, 140)}”)${placed.where}.` }
}

/** The story that a comment names or stands in; else the first. */
function storyOf(text: string, { text: words, lines }: ReviewComment): string {
  const named = /\b(?:user story|story|us) ?(\d{1,2})\b/i.exec(words)?.[1]
  if (named !== undefined || lines === null) return named ?? '1'
  const above = text.split('\n').slice(0, lines.start)
  return above.map((line) => /^### User Story (\d+)/.exec(line)?.[1]).findLast((number) => number !== undefined) ?? '1'
}

function addScenario(text: string, scenario: string, story: string): { text: string; where: string } {
  const range =
    sectionRange(text, new RegExp(`^### User Story ${story}\\b`)) ?? sectionRange(text, /^### User Story 1\b/)
  if (range === undefined) return { text, where: '' }
  const numbers = text
    .split('\n')
    .slice(range.from, range.to)
    .map((line) => Number(/^(\d{1,3})\. /.exec(line)?.[1] ?? 0))
  const number = Math.max(0, ...numbers) + 1
  const placed = insertAfterLast(text, /^\d{1,3}\. /, `${number}. ${scenario}`, range)
  const title = /User Story \d+/.exec(text.split('\n')[range.from] ?? '')?.[0] ?? 'the story'
  return placed === undefined
    ? { text, where: '' }
    : { text: placed, where: ` and acceptance scenario ${number} of ${title}` }
}

function addEdgeCase(text: string, question: string, answer: string): string {
  const range = sectionRange(text, /^### Edge Cases/)
  return (
    (range === undefined ? undefined : insertAfterLast(text, /^- /, `- ${question} ${answer}`, range)) ??
    `${text.trimEnd()}\n\n### Edge Cases\n\n- ${question} ${answer}\n`
  )
}
