import { phraseOf, type Description } from './read-description.ts'
import { SYSTEM_ACTOR } from './read-sentence.ts'

/** Something that only a person can decide, the requirement it belongs to, and what holds if nobody does. */
export interface OpenQuestion {
  ask: string
  requirement: string
  assume: string
}

const QUESTIONS_LIMIT = 3

/** One to three, those that change the most first. Nothing that a sensible default answers is asked. */
export function openQuestions(description: Description): OpenQuestion[] {
  const questions = [
    ...meaningQuestion(description),
    ...description.concerns.flatMap((concern) => concern.question ?? []),
    ...accessQuestion(description),
    ...scopeQuestion(description),
  ]
  return questions.slice(0, QUESTIONS_LIMIT)
}

function meaningQuestion({ understood, subject }: Description): OpenQuestion[] {
  if (understood === 'words') return []
  const why =
    understood === 'foreign'
      ? 'The description is not in English, and the offline demo agent reads only English.'
      : `The description names “${subject}” and no action.`
  return [
    {
      ask: `${why} What should a person be able to do once this is built?`,
      requirement: 'The system MUST let a person do what the description asks for.',
      assume: `a person can see “${subject}” and use it, and nothing else changes`,
    },
  ]
}

function accessQuestion({ actions, concerns }: Description): OpenQuestion[] {
  const [first] = actions
  if (
    first === undefined ||
    first.actor === SYSTEM_ACTOR ||
    concerns.some(({ id }) => id === 'sign-in' || id === 'sharing')
  )
    return []
  return [
    {
      ask: `Who may ${phraseOf(first)}: everybody, or only people who are signed in?`,
      requirement: `The system MUST decide who may ${phraseOf(first)}.`,
      assume: `everybody who can reach the system may ${phraseOf(first)}`,
    },
  ]
}

function scopeQuestion({ entities, concerns }: Description): OpenQuestion[] {
  const [entity] = entities
  if (entity === undefined || concerns.some(({ id }) => id === 'sign-in')) return []
  const name = entity.toLowerCase()
  return [
    {
      ask: `How many entries of the kind “${name}” must it cope with?`,
      requirement: `The system MUST stay usable with the expected number of entries of the kind “${name}”.`,
      assume: `10,000 entries of the kind “${name}”`,
    },
  ]
}
