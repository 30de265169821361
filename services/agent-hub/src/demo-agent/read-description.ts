import { capitalise, sentencesOf, shorten, slugOf, trimPunctuation, uncapitalise } from './clean-text.ts'
import { concernsOf, type Concern, type ConcernAction, type Scenario } from './concerns.ts'
import { DEFAULT_ACTOR, readSentence, singular } from './read-sentence.ts'
import { findVerb, kindOfVerb, type VerbKind } from './verbs.ts'
import { headPhrase, nounPhrases, wordsOf } from './verb-phrases.ts'

export interface Action {
  actor: string
  verb: string
  object: string
  kind: VerbKind
  benefit: string | null
  /** Where the matter has scenarios of its own. */
  scenarios?: readonly Scenario[]
}

/** What a description says, as far as reading it without a model goes. */
export interface Description {
  title: string
  /** The thing in a sentence: `user authentication with OAuth2`. */
  subject: string
  actions: Action[]
  /** Rules and facts that name no action of a person, in the author's words. */
  statements: string[]
  entities: string[]
  concerns: Concern[]
  /** `words`: an action or a thing was understood; `foreign`: not English; `bare`: too little to go on. */
  understood: 'words' | 'foreign' | 'bare'
}

const ACTIONS_LIMIT = 5
const STATEMENTS_LIMIT = 12
const ENTITIES_LIMIT = 6
const TITLE_LIMIT = 70
const ENGLISH = new Set(
  'the a an to of and with for in on by that can should is are be their it from as i we so at when each which must not how what who this these they or but may one any all us our your per'.split(
    ' ',
  ),
)
const FOREIGN = new Set(
  'der die das und ist für mit ein eine nicht sich sollen können den dem le la les des et est pour avec une dans el los las para con una il di che per gli het een van met voor som och att på jest się nie oraz dla'.split(
    ' ',
  ),
)

/** `feature_id` names the feature where the description cannot. */
export function readDescription(text: string, feature_id: string): Description {
  const sentences = sentencesOf(text).filter(isProse)
  const slug_name = feature_id.replace(/^\d+-/, '').replaceAll('-', ' ')
  const readings = isForeign(sentences) ? [] : sentences.map(readSentence)
  const subjects = readings.slice(0, 1).flatMap((reading) => reading.subject ?? [])
  const told = distinctActions(
    readings.flatMap((reading) => reading.actions).map((action) => ({ ...action, kind: kindOfVerb(action.verb) })),
  )
  const concerns = concernsOf(sentences.join('. '))
  const subject = shorten(
    subjects[0] ??
      (told[0] === undefined ? trimPunctuation(sentences[0] ?? slug_name) : phraseOf(told[0]).replace(' their ', ' ')),
    TITLE_LIMIT,
  )
  const statements = readings
    .flatMap(
      (reading, index) =>
        reading.statement ?? (index > 0 && reading.actions.length === 0 ? (sentences[index] ?? []) : []),
    )
    .filter((statement) => statement !== subject)
  const foreign = readings.length === 0 && sentences.length > 0
  const understood = foreign
    ? 'foreign'
    : told.length > 0 || concerns.length > 0 || subjects.some((name) => name.includes(' '))
      ? 'words'
      : 'bare'
  const actions =
    told.length > 0
      ? told
      : actionsOn(
          understood === 'words'
            ? sentences[0]?.startsWith(subject) === true
              ? uncapitalise(subject)
              : subject
            : `“${subject}”`,
          concerns,
        )
  return {
    title: capitalise(subject),
    subject,
    actions: actions.slice(0, ACTIONS_LIMIT),
    statements: (foreign ? sentences.slice(1) : statements).slice(0, STATEMENTS_LIMIT),
    entities: foreign ? [capitalise(slug_name)] : entitiesOf(subjects, told, concerns, slug_name),
    concerns,
    understood,
  }
}

/** `upload photos from a phone`. */
export const phraseOf = (action: Pick<Action, 'verb' | 'object'>): string => `${action.verb} ${action.object}`.trim()

const isProse = (sentence: string): boolean =>
  !sentence.includes('()') || (sentence.match(/\p{L}{3,}/gu) ?? []).length > 4

function isForeign(sentences: readonly string[]): boolean {
  const text = sentences.join(' ').slice(0, 2000)
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const latin = text.match(/[a-z]/gi)?.length ?? 0
  if (letters > 0 && latin < letters * 0.7) return true
  const words = wordsOf(text.toLowerCase())
  const count = (set: ReadonlySet<string>): number => words.filter((word) => set.has(word)).length
  return count(FOREIGN) > count(ENGLISH)
}

/** The same thing said twice is one story. */
function distinctActions(actions: readonly Action[]): Action[] {
  const seen = new Map<string, Action>()
  for (const action of actions) {
    const key = phraseOf(action).toLowerCase()
    if (!seen.has(key) && (action.object !== '' || action.kind === 'enter')) seen.set(key, action)
  }
  return [...seen.values()]
}

/** Where a description only names a thing: what people do with things of its kind, else simply use it. */
function actionsOn(subject: string, concerns: readonly Concern[]): Action[] {
  const head = headPhrase(subject)
  const concern = concerns.find((candidate) => candidate.actions.length > 0 && candidate.match.test(head))
  const tool = / (?:with|by|via|through|using) (.{2,40})$/i.exec(subject)?.[1]
  const told: readonly ConcernAction[] = concern === undefined ? [['use', subject]] : concern.actions
  return told.map(([verb, object, scenarios], index) => ({
    actor: DEFAULT_ACTOR,
    verb,
    object: index === 0 && object === '' && tool !== undefined ? `with ${tool}` : object,
    kind: kindOfVerb(verb),
    benefit: null,
    ...(scenarios === undefined ? {} : { scenarios }),
  }))
}

const NOT_ENTITIES = new Set(
  'they them it nothing something everything all results way much many one why which what when look figures word period use visit message page app application day date device minute hour csv pdf user'.split(
    ' ',
  ),
)

function entitiesOf(
  subjects: readonly string[],
  actions: readonly Action[],
  concerns: readonly Concern[],
  fallback: string,
): string[] {
  const names = new Map<string, string>()
  const phrases = [...actions.flatMap((action) => nounPhrases(action.object)), ...subjects.map(headPhrase)]
  for (const phrase of phrases) {
    const name = singular(
      phrase.replace(/^(?:all|separate|new|several|many|other|own|different|failed|chosen|named) /i, '').trim(),
    )
    const words = name.split(' ')
    const usable =
      words.length <= 3 &&
      /^[\p{L}][\p{L}\p{N} -]+$/u.test(name) &&
      !NOT_ENTITIES.has(words.at(-1)?.toLowerCase() ?? '')
    if (
      usable &&
      name.length > 2 &&
      slugOf(name, '') !== '' &&
      (findVerb(words, 0) === undefined || words.length === 1)
    )
      names.set(name.toLowerCase(), capitalise(name))
    if (names.size === ENTITIES_LIMIT) break
  }
  const [concern] = concerns
  const is_about = concern !== undefined && subjects.some((subject) => concern.match.test(headPhrase(subject)))
  if (actions.length === 0 && concern !== undefined && (is_about || names.size === 0)) return [...concern.entities]
  return names.size > 0 ? [...names.values()] : [capitalise(shorten(fallback, 40)) || 'Entry']
}
