import { shorten, trimPunctuation } from './clean-text.ts'
import { findVerb, isAlsoNoun, isBuilder } from './verbs.ts'

/** One thing that a person does: `upload` `photos from a phone`. */
export interface VerbPhrase {
  verb: string
  object: string
}

const OBJECT_LIMIT = 80
const PHRASES_LIMIT = 6
const JOINTS = new Set([',', 'and', 'or', 'then', '&', 'plus'])
const FILLERS = new Set([
  'also',
  'easily',
  'quickly',
  'then',
  'simply',
  'just',
  'please',
  'only',
  'automatically',
  'to',
  'safely',
  'securely',
  'be',
  'able',
])
const PRONOUNS = new Set(['them', 'it', 'these', 'those', 'this', 'that'])
const LEADS_A_NOUN = new Set(
  'a an the my our your their of by in on for with to from at each every per new some any'.split(' '),
)
const ENDS_AN_OBJECT = new Set('so that which who whose because while unless but'.split(' '))
const OWNERS: Readonly<Record<string, string>> = {
  my: 'their',
  our: 'their',
  your: 'their',
  me: 'them',
  us: 'them',
  i: 'they',
  we: 'they',
  mine: 'theirs',
}
const HANGING = new Set('a an the and or of to in on at by with for from as their into, per than'.split(' '))

/** Words and commas of a sentence. */
export const wordsOf = (sentence: string): string[] =>
  sentence
    .replace(/,/g, ' , ')
    .split(/\s+/)
    .filter((word) => word !== '')

/** `upload photos, sort and filter them` → upload photos · sort photos · filter photos. Empty where no verb leads. */
export function verbPhrases(words: readonly string[]): VerbPhrase[] {
  const phrases: VerbPhrase[] = []
  let at = skip(words, 0)
  while (at < words.length && phrases.length < PHRASES_LIMIT) {
    const { verbs, next } = verbList(words, at)
    if (verbs.length === 0) break
    const end = objectEnd(words, next)
    const object = objectText(words.slice(next, end), phrases.at(-1)?.object ?? '')
    for (const verb of verbs) if (phrases.length < PHRASES_LIMIT) phrases.push({ verb, object })
    at = skip(words, end)
    if (end >= words.length || !JOINTS.has(words[end]?.toLowerCase() ?? '')) break
  }
  return phrases
}

function skip(words: readonly string[], from: number): number {
  let at = from
  while (
    at < words.length &&
    (JOINTS.has(words[at]?.toLowerCase() ?? '') || FILLERS.has(words[at]?.toLowerCase() ?? ''))
  )
    at += 1
  return at
}

/** `create, edit and delete` – verbs that share the object that follows. */
function verbList(words: readonly string[], from: number): { verbs: string[]; next: number } {
  const verbs: string[] = []
  let at = from
  for (;;) {
    const found = findVerb(words, at)
    if (found === undefined) return { verbs, next: at }
    verbs.push(found.verb)
    at += found.length
    const after = skip(words, at)
    const joined = after > at && JOINTS.has(words[at]?.toLowerCase() ?? '')
    if (!joined || findVerb(words, after) === undefined) return { verbs, next: at }
    at = after
  }
}

/** The object goes on until another verb is joined to it, or a word begins a side sentence. */
function objectEnd(words: readonly string[], from: number): number {
  for (let at = from; at < words.length; at += 1) {
    const word = words[at]?.toLowerCase() ?? ''
    if (ENDS_AN_OBJECT.has(word) && at > from) return at
    if (JOINTS.has(word) && startsVerb(words, skip(words, at))) return at
  }
  return words.length
}

function startsVerb(words: readonly string[], at: number): boolean {
  const found = findVerb(words, at)
  if (found === undefined || isBuilder(found.verb)) return false
  if (!isAlsoNoun(found.verb)) return true
  const following = words[at + found.length]?.toLowerCase()
  return (
    following !== undefined &&
    !JOINTS.has(following) &&
    (LEADS_A_NOUN.has(following) || PRONOUNS.has(following) || following.endsWith('s'))
  )
}

function objectText(words: readonly string[], previous: string): string {
  const pronoun = words[0]?.toLowerCase() ?? ''
  if (
    PRONOUNS.has(pronoun) &&
    previous !== '' &&
    (/^(?:them|it)$/.test(pronoun) ||
      words.length === 1 ||
      LEADS_A_NOUN.has(words[1]?.toLowerCase() ?? '') ||
      words[1] === 'into')
  ) {
    return tidyObject([headPhrase(previous), ...words.slice(1)])
  }
  return tidyObject(words)
}

/** In the third person, shortened, and not ending on a word that asks for more. */
export function tidyObject(words: readonly string[]): string {
  const text = words
    .map((word) => OWNERS[word.toLowerCase()] ?? word)
    .join(' ')
    .replace(/ ,/g, ',')
  const kept = shorten(trimPunctuation(text), OBJECT_LIMIT).split(' ')
  while (kept.length > 0 && HANGING.has(kept.at(-1)?.toLowerCase() ?? '')) kept.pop()
  return trimPunctuation(kept.join(' '))
}

const PREPOSITIONS = new Set(
  'of by in on for with to from at into between about as via through using per within without under over across against near'.split(
    ' ',
  ),
)

/** `photos from a phone` → `photos`. */
export function headPhrase(object: string): string {
  const words = object.split(' ')
  const end = words.findIndex(
    (word, index) => index > 0 && (PREPOSITIONS.has(word.toLowerCase()) || word.endsWith(',')),
  )
  return trimPunctuation((end === -1 ? words : words.slice(0, words[end]?.endsWith(',') ? end + 1 : end)).join(' '))
}

/** Noun phrases of an object, the head and those behind prepositions: `photos` · `separate albums`. */
export function nounPhrases(object: string): string[] {
  const phrases: string[] = []
  let current: string[] = []
  const close = (): void => {
    if (current.length > 0) phrases.push(current.join(' '))
    current = []
  }
  for (const word of wordsOf(object)) {
    const lower = word.toLowerCase()
    if (PREPOSITIONS.has(lower) || JOINTS.has(lower)) close()
    else if (!LEADS_A_NOUN.has(lower) && !HANGING.has(lower)) current.push(word)
  }
  close()
  return phrases
}
