import { trimPunctuation, uncapitalise } from './clean-text.ts'
import { findVerb, isBuilder } from './verbs.ts'
import { tidyObject, verbPhrases, wordsOf, type VerbPhrase } from './verb-phrases.ts'

/** What one sentence of a description says. */
export interface Reading {
  actions: (VerbPhrase & { actor: string; benefit: string | null })[]
  /** What is to be made, where the sentence names it: `photo album organiser`. */
  subject: string | null
  /** A rule, in the sentence's own words, where it says no action of a person. */
  statement: string | null
}

const MODALS = new Set('can could may might should must will shall would need needs want wants'.split(' '))
const HELPERS = new Set('let lets allow allows enable enables help helps letting allowing helping enabling'.split(' '))
const NEGATIONS = new Set(['not', 'never', 'no', 'nobody', "n't"])
const SYSTEMS = new Set(
  'app application system service tool site website page feature platform product software program api it that which server backend'.split(
    ' ',
  ),
)
const FIRST_PERSONS = new Set([
  'i',
  'we',
  'me',
  'us',
  'you',
  'they',
  'them',
  'people',
  'everyone',
  'anyone',
  'somebody',
  'someone',
  'one',
  'who',
])
const FINITE = /^(?:is|are|was|were|be|has|have|does|do|must|should|can|cannot|will|shall|may)$/i
const NOT_IN_AN_ACTOR = new Set(
  'the a an each every all any our my their your only some registered that where when if and'.split(' '),
)

export const DEFAULT_ACTOR = 'user'
/** Of what happens without a person: `the system should retry failed webhooks`. */
export const SYSTEM_ACTOR = 'system'

export function readSentence(sentence: string): Reading {
  const { main, benefit } = cutBenefit(sentence)
  const words = wordsOf(main.replace(/^(?:please|we'd like|i'd like)\s+/i, ''))
  if (MAINTENANCE.test(main)) {
    return {
      actions: [{ ...relyOn(main), actor: DEFAULT_ACTOR, benefit }],
      subject: tidyObject(wordsOf(main)),
      statement: null,
    }
  }
  const told =
    asActorWants(words) ?? helped(words) ?? modal(words) ?? personDoes(words) ?? imperative(words) ?? named(words)
  if (told === undefined) return { actions: [], subject: null, statement: sentence }
  const actions = told.phrases.map((phrase) => ({ ...phrase, actor: told.actor, benefit }))
  if (actions.length === 0 && told.subject === null) return { actions: [], subject: null, statement: sentence }
  return { actions, subject: told.subject, statement: null }
}

/** Work on what is there: nobody does anything new, people rely on its being done. */
const MAINTENANCE =
  /^(?:please )?(?:fix|refactor|migrate|upgrade|improve|optimi[sz]e|rewrite|repair|speed up|clean up|correct|replace|make .{1,60} (?:faster|better|safer|easier|smaller|load))\b/i

const relyOn = (main: string): VerbPhrase => ({
  verb: 'rely on',
  object: `the change “${uncapitalise(tidyObject(wordsOf(main)))}”`,
})

interface Told {
  actor: string
  phrases: VerbPhrase[]
  subject: string | null
}

function cutBenefit(sentence: string): { main: string; benefit: string | null } {
  const found = /,? (?:so that|in order to|so) /i.exec(sentence)
  if (found === null || found.index < 8) return { main: sentence, benefit: null }
  const rest = trimPunctuation(sentence.slice(found.index + found[0].length))
  const benefit = /order to/i.test(found[0]) ? `they can ${rest}` : rest
  return { main: sentence.slice(0, found.index), benefit: rest === '' ? null : tidyObject(wordsOf(benefit)) }
}

/** `As a teacher, I want to …` */
function asActorWants(words: readonly string[]): Told | undefined {
  if (words[0]?.toLowerCase() !== 'as' || !/^(?:an?|the)$/i.test(words[1] ?? '')) return undefined
  const end = words.findIndex((word, index) => index > 1 && (word === ',' || /^(?:i|we)$/i.test(word)))
  if (end === -1) return undefined
  const at = words.findIndex(
    (word, index) =>
      index > end && findVerb(words, index) !== undefined && !isBuilder(findVerb(words, index)?.verb ?? word),
  )
  if (at === -1) return undefined
  return { actor: actorOf(words.slice(2, end)), phrases: verbPhrases(words.slice(at)), subject: null }
}

/** `… lets visitors book a table`, `… that helps me organise photos` */
function helped(words: readonly string[]): Told | undefined {
  const helper = words.findIndex((word) => HELPERS.has(word.toLowerCase()))
  if (helper === -1) return undefined
  for (let at = helper + 1; at < Math.min(words.length, helper + 8); at += 1) {
    const found = findVerb(words, at)
    if (found === undefined || (isBuilder(found.verb) && words[at - 1]?.toLowerCase() !== 'to')) continue
    const phrases = doing(words.slice(at))
    if (phrases.length === 0) return undefined
    return {
      actor: actorOf(words.slice(helper + 1, at).filter((word) => word.toLowerCase() !== 'to')),
      phrases,
      subject: subjectBefore(words.slice(0, helper)),
    }
  }
  return undefined
}

/** `Visitors can book a table and cancel it` */
function modal(words: readonly string[]): Told | undefined {
  const at = words.findIndex((word, index) => MODALS.has(word.toLowerCase()) && index > 0)
  if (at === -1 || words.some((word) => NEGATIONS.has(word.toLowerCase()) || word.toLowerCase() === 'cannot'))
    return undefined
  const before = words.slice(0, at)
  const clause = before.findLastIndex((word) => /^(?:where|which|that|,|when)$/i.test(word))
  const doer = before.slice(clause + 1)
  const is_system = SYSTEMS.has(doer.at(-1)?.toLowerCase() ?? '')
  if (!is_system && !isPerson(doer)) return undefined
  const phrases = doing(words.slice(at + 1))
  if (phrases.length === 0) return undefined
  return {
    actor: is_system ? SYSTEM_ACTOR : actorOf(doer),
    phrases,
    subject: clause > 0 ? subjectBefore(before.slice(0, clause)) : null,
  }
}

/** `Staff see all bookings`, `a page where visitors book a table` */
function personDoes(words: readonly string[]): Told | undefined {
  const clause = words.findIndex((word) => /^(?:where|which|that|who|when)$/i.test(word))
  for (const start of clause === -1 ? [0] : [0, clause + 1]) {
    for (let at = start + 1; at <= start + 3 && at < words.length - 1; at += 1) {
      const found = findVerb(words, at)
      const doer = words.slice(start, at)
      if (found === undefined || isBuilder(found.verb) || !isPerson(doer)) continue
      return {
        actor: actorOf(doer),
        phrases: doing(words.slice(at)),
        subject: start === 0 ? null : subjectBefore(words.slice(0, clause)),
      }
    }
  }
  return undefined
}

/** `A chat for support agents`, `dark mode`: a thing is named and nothing is said of it. */
function named(words: readonly string[]): Told | undefined {
  const start = words.findIndex((word) => !/^(?:we|i|need|want|would|like)$/i.test(word))
  const rest = words.slice(Math.max(start, 0))
  if (rest.length > 12 || rest.some((word) => FINITE.test(word))) return undefined
  const to = rest.findIndex((word, index) => index > 1 && /^(?:to|and)$/i.test(word) && joinsVerb(rest, index + 1))
  const subject = subjectBefore(rest)
  return { actor: DEFAULT_ACTOR, phrases: to === -1 ? [] : verbPhrases(rest.slice(to + 1)), subject }
}

/** `Add dark mode`, `Build a tool to compare contracts`, `Search orders by number` */
function imperative(words: readonly string[]): Told | undefined {
  const start = words.findIndex((word) => !/^(?:we|i|need|want|to|would|like|please|should|let's)$/i.test(word))
  const found = findVerb(words, start)
  if (found === undefined || FINITE.test(words[start + 1] ?? '')) return undefined
  if (!found.verb.startsWith(words[start]?.toLowerCase() ?? '')) return undefined
  if (!isBuilder(found.verb)) return { actor: DEFAULT_ACTOR, phrases: verbPhrases(words.slice(start)), subject: null }
  const subject = subjectBefore(words.slice(start))
  const to = words.findIndex(
    (word, index) => index > start + 1 && /^(?:to|that|which|and|,)$/i.test(word) && joinsVerb(words, index + 1),
  )
  return { actor: DEFAULT_ACTOR, phrases: to === -1 ? [] : verbPhrases(words.slice(to + 1)), subject }
}

const joinsVerb = (words: readonly string[], at: number): boolean => {
  const found = findVerb(words, at)
  return found !== undefined && !isBuilder(found.verb) && words[at + found.length] !== undefined
}

/** A person's `create` is an action, where an order to the developers is none. */
const doing = (words: readonly string[]): VerbPhrase[] =>
  verbPhrases(words).map((phrase) => ({
    ...phrase,
    verb: /^(?:have|get|need|want)$/.test(phrase.verb) ? 'see' : phrase.verb,
  }))

function subjectBefore(words: readonly string[]): string | null {
  const verb = findVerb(words, 0)
  const from = verb !== undefined && isBuilder(verb.verb) ? verb.length : 0
  const end = words.findIndex(
    (word, index) =>
      index > from &&
      (/^(?:that|which|where|who|so|,|can|should)$/i.test(word) ||
        (word.toLowerCase() === 'to' && joinsVerb(words, index + 1))),
  )
  const text = tidyObject(words.slice(from, end === -1 ? words.length : end)).replace(
    /^(?:an?|the|some|new|it|this)\s+/i,
    '',
  )
  return text === '' || SYSTEMS.has(text.toLowerCase()) || FIRST_PERSONS.has(text.toLowerCase()) ? null : text
}

function isPerson(words: readonly string[]): boolean {
  const head = words.at(-1)?.toLowerCase() ?? ''
  if (findVerb(words, 0) !== undefined) return false
  return (
    FIRST_PERSONS.has(head) ||
    (words.length <= 4 &&
      !SYSTEMS.has(head) &&
      /(?:er|or|ers|ors|ist|ists|ant|ants|ent|ents|min|mins|member|members|staff|team|teams|people|person|guest|guests|owner|parent|parents|nurse|nurses|guide|guides|friend|friends|child|children|pupil|pupils)$/.test(
        head,
      ))
  )
}

function actorOf(words: readonly string[]): string {
  const named = words.filter((word) => !NOT_IN_AN_ACTOR.has(word.toLowerCase()) && word !== ',')
  const text = named.slice(-3).join(' ').toLowerCase()
  return text === '' || FIRST_PERSONS.has(text) || text.length > 40 ? DEFAULT_ACTOR : singular(text)
}

/** `photo albums` → `photo album`; only the last word. */
export function singular(text: string): string {
  if (/(?:ss|us|is|news|series)$/i.test(text) || text.length < 4) return text
  if (/people$/i.test(text)) return text.replace(/people$/i, 'person')
  if (/children$/i.test(text)) return text.replace(/children$/i, 'child')
  if (/ies$/i.test(text)) return text.replace(/ies$/i, 'y')
  if (/(?:sses|shes|ches|xes)$/i.test(text)) return text.slice(0, -2)
  return /s$/i.test(text) ? text.slice(0, -1) : text
}
