/** Longest stretch of a description that is read; the rest is still quoted in the specification. */
const READ_LIMIT = 6000
const SENTENCE_LIMIT = 240
const SENTENCES_LIMIT = 40

/** Words and plain punctuation of a text that may hold markup, code, emoji, control characters or lone surrogates. */
export function plainText(text: string): string {
  return text
    .slice(0, READ_LIMIT)
    .toWellFormed()
    .normalize('NFC')
    .split('```')
    .filter((_, index) => index % 2 === 0)
    .join('\n')
    .replace(/<(?:script|style)\b[^<>]{0,200}>[^<]{0,2000}/gi, ' ')
    .replace(/<[^<>]{0,200}>/g, ' ')
    .replace(/https?:\/\/\S{1,300}/g, ' ')
    .replace(/\[?needs clarification:?/gi, ' ')
    .replace(/\$(?=\p{L})/gu, '')
    .replace(/\boption (\w{1,3}):/gi, 'option $1')
    .replace(/[\p{Extended_Pictographic}\p{Cf}\p{Co}\p{Cn}\u{FE0F}\uFFFD]/gu, ' ')
    .replace(/[^\p{L}\p{M}\p{N}\s.,;:!?。！？、،'’"“”«»()/&%+#@$€£-]/gu, ' ')
    .replace(/[\p{Cc}]/gu, (character) => (character === '\n' ? '\n' : ' '))
}

/** Sentences and list items, shortened at a word, each told once. */
export function sentencesOf(text: string): string[] {
  const pieces = plainText(text).split(/(?<=[.!?])\s+|[;。！？\n]+/)
  const sentences = new Map<string, string>()
  for (const piece of pieces) {
    const sentence = shorten(collapseRepeats(trimPunctuation(piece)), SENTENCE_LIMIT)
    if (/[\p{L}\p{N}]/u.test(sentence)) sentences.set(sentence.toLowerCase(), sentence)
    if (sentences.size === SENTENCES_LIMIT) break
  }
  return [...sentences.values()]
}

/** `banana banana banana` says `banana`. */
function collapseRepeats(text: string): string {
  const words: string[] = []
  for (const word of text.split(/\s+/)) {
    if (word !== '' && word.toLowerCase() !== words.at(-1)?.toLowerCase()) words.push(word)
  }
  return words.join(' ')
}

/** Without list marks, quotes and full stops around it. */
export const trimPunctuation = (text: string): string =>
  text
    .trim()
    .replace(/^(?:\d{1,3}[.)]\s+|[\s.,;:!?'"“”«»()/&%+#@-]+)/u, '')
    .replace(/[\s.,;:!?'"“”«»(/&@-]+$/u, '')

/** At most `limit` characters, cut at a word. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text
  const cut = text.slice(0, limit)
  const space = cut.lastIndexOf(' ')
  return (space > limit / 2 ? cut.slice(0, space) : cut)
    .toWellFormed()
    .replace(/\uFFFD$/, '')
    .trimEnd()
}

export const capitalise = (text: string): string => {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 32)
  return text === '' ? '' : first.toUpperCase() + text.slice(first.length)
}

/** Lower-case first letter, unless the word is an acronym or a name such as `OAuth2`. */
export const uncapitalise = (text: string): string =>
  /^\p{Lu}[\p{Ll}'-]*(?=\s|$)/u.test(text) ? text.slice(0, 1).toLowerCase() + text.slice(1) : text

/** For names of files and functions: ASCII words joined by dashes, or the fallback where nothing is left. */
export function slugOf(text: string, fallback: string): string {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9\s-]/g, '')
    .split(/[\s-]+/)
    .filter((word) => word !== '')
  return words.slice(0, 5).join('-').slice(0, 48).replace(/-+$/, '') || fallback
}

/** Somebody's own words as a Markdown quotation in which nothing is markup any more. */
export function quoteMarkdown(text: string): string {
  const printable = text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/[\p{Cc}\u2028\u2029]/gu, (character) => (character === '\n' ? '\n' : ' '))
  return printable
    .trim()
    .split('\n')
    .map((line) => `> ${escapeMarkdown(line).trimStart()}`.trimEnd())
    .join('\n')
}

export const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\`*_[\]{}|~$]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/^(\s*)([#>+=-]|\d{1,9}[.)])/, '$1\\$2')
