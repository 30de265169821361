/** What a verb does to the thing it is about: chooses scenarios, requirements and code. */
export type VerbKind = 'create' | 'read' | 'change' | 'remove' | 'send' | 'enter' | 'produce' | 'use'

const BY_KIND: Readonly<Record<Exclude<VerbKind, 'use'>, string>> = {
  create:
    'add create make design build upload write post submit register record save import book order schedule reserve draw note collect enter capture scan attach plan start buy pay purchase donate request log queue',
  read: 'show list search find filter sort view see browse read look compare check display watch monitor track preview inspect listen play explore follow review count measure detect look-up',
  change:
    'edit update rename change organise organize group move tag mark assign merge split copy rate comment approve reject sync translate configure set select choose pick pin reorder drag arrange manage resize crop label categorise categorize adjust switch toggle turn-on turn-off set-up customise customize reset rotate rate-limit throttle highlight retry repeat suspend lock unlock activate deactivate disable accept decline ban close open clean restore undo annotate rank vote limit block verify validate confirm reschedule sign',
  remove: 'delete remove archive cancel unsubscribe clear revoke discard hide refund return',
  send: 'send notify email share invite publish remind alert message subscribe broadcast forward transfer chat reply announce',
  enter: 'log-in login sign-in sign-up sign-out log-out authenticate join leave connect',
  produce:
    'export download print generate calculate convert summarise summarize compute render estimate back-up backup encrypt compress predict recommend suggest',
}

const KINDS = new Map<string, VerbKind>(
  Object.entries(BY_KIND).flatMap(([kind, verbs]) =>
    verbs.split(' ').map((verb): [string, VerbKind] => [verb.replace('-', ' '), kind as VerbKind]),
  ),
)

/** Verbs that say "make this exist" and nothing about what a person does with it. */
const BUILDERS = new Set(
  'add build create implement make introduce develop provide support offer integrate need want have get deliver ship enable'.split(
    ' ',
  ),
)

/** Verbs that are nouns at least as often: taken as verbs only where the place in the sentence says so. */
const ALSO_NOUNS = new Set(
  'order book report search tag comment rate limit log email share schedule filter group record request note list view display label set play plan review check message alert post start queue sign return move change update vote rank look chat count track block switch transfer download upload export import print copy crop reply compare pin note watch match edit'.split(
    ' ',
  ),
)

export interface FoundVerb {
  verb: string
  /** How many words it takes. */
  length: number
}

/** The verb that begins at a word, in its base form; `shows` is read as `show`. */
export function findVerb(words: readonly string[], at: number): FoundVerb | undefined {
  const word = words[at]?.toLowerCase()
  if (word === undefined) return undefined
  const pair = `${baseForm(word)} ${words[at + 1]?.toLowerCase() ?? ''}`
  if (KINDS.has(pair)) return { verb: pair, length: 2 }
  const base = baseForm(word)
  return KINDS.has(base) || BUILDERS.has(base) ? { verb: base, length: 1 } : undefined
}

function baseForm(word: string): string {
  if (KINDS.has(word) || BUILDERS.has(word)) return word
  for (const [ending, replacement] of [
    ['ies', 'y'],
    ['es', ''],
    ['s', ''],
  ] as const) {
    if (word.endsWith(ending)) {
      const base = word.slice(0, -ending.length) + replacement
      if (KINDS.has(base)) return base
    }
  }
  return word
}

export const kindOfVerb = (verb: string): VerbKind => KINDS.get(verb) ?? 'use'
export const isBuilder = (verb: string): boolean => BUILDERS.has(verb)
export const isAlsoNoun = (verb: string): boolean => ALSO_NOUNS.has(verb)
