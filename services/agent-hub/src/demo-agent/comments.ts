import { plainText, shorten, trimPunctuation } from './clean-text.ts'
import type { Feedback } from './invocation.ts'

/** One thing that a reviewer said. Without an id it stood in the text and needs no answer of its own. */
export interface ReviewComment {
  id: string | null
  path: string | null
  lines: { start: number; end: number } | null
  quote: string | null
  text: string
  /** What the reviewer proposed in place of the lines. */
  replacement: string | null
}

/** What a comment asks for, as far as its wording tells. */
export type Intent =
  | { kind: 'replace'; from: string; to: string }
  | { kind: 'remove'; what: string | null }
  | { kind: 'ask'; question: string }
  | { kind: 'require'; statement: string; topic: string }
  | { kind: 'nothing' }

const COMMENTS_LIMIT = 100

export function commentsOf(feedback: Feedback | null | undefined): ReviewComment[] {
  if (feedback === null || feedback === undefined) return []
  const { answers = [] } = feedback
  if (feedback.threads.length > 0 || answers.length > 0) {
    const answered = answers.slice(0, COMMENTS_LIMIT).map(({ question, answer, path, line }): ReviewComment => ({
      id: null,
      path: path ?? null,
      lines: typeof line === 'number' ? { start: line, end: line } : null,
      quote: question === '' ? null : question,
      text: answer,
      replacement: null,
    }))
    return [...answered, ...threadsOf(feedback)]
  }
  return feedback.text
    .split(/\n(?=\s*(?:[-*]|\d{1,3}[.)])\s)|\n\s*\n/)
    .map((text) => text.replace(/^\s*[-*]\s+/, '').trim())
    .filter((text) => text !== '')
    .slice(0, COMMENTS_LIMIT)
    .map((text) => ({ id: null, path: null, lines: null, quote: null, text, replacement: null }))
}

function threadsOf({ threads }: Feedback): ReviewComment[] {
  return threads.slice(0, COMMENTS_LIMIT).map(({ id, path, lines, quote, text, replacement }) => ({
    id,
    path: path ?? null,
    lines: lines ?? null,
    quote: quote ?? null,
    text,
    replacement: replacement ?? null,
  }))
}

const POLITE =
  /^(?:(?:please|pls|could you|can you|would you|i would|i'd|we should|you should|let's|also|and|maybe|perhaps)\s+)+/i
const THIS =
  /^(?:this|it|that|the quoted (?:text|part)|this (?:line|sentence|word|part|section|item|requirement|story))$/i
const PRAISE =
  /^(?:looks? good|lgtm|thanks?(?: you)?|nice|great|ok(?:ay)?|good(?: work| job)?|well done|perfect|approved?|fine|yes|\+1)\b[\s\w]{0,20}$/i
const DIRECTIVE =
  /^(?:mention|add|include|cover|describe|explain|consider|handle|specify|define|clarify|state|note|support|think (?:of|about)|take care of|deal with|say something about|what about|how about|missing|there is nothing (?:on|about)|(?:it|this|the spec|the plan) (?:lacks|misses|is missing)|we (?:also )?need|i miss|needs?|want|require)\s*:?\s+/i

export function readComment({ text, quote }: Pick<ReviewComment, 'text' | 'quote'>): Intent {
  const raw = text.trim().replace(/\s+/g, ' ').replace(POLITE, '')
  const asked = unquote(raw.replace(/[.!]+$/, ''))
  const replaced = readReplacement(asked, quote)
  if (replaced !== undefined) return replaced
  const removed = /^(?:remove|delete|drop|cut|strike|take out|get rid of)\s+(.{1,400})$/i.exec(asked)?.[1]
  if (removed !== undefined)
    return {
      kind: 'remove',
      what: THIS.test(removed)
        ? quote
        : unquote(removed.replace(/^the (?:word|words|line|sentence|requirement|item|phrase)s? /i, '')),
    }
  const plain = oneLine(raw)
  if (plain === '' || PRAISE.test(plain.replace(/[!.,]/g, ''))) return { kind: 'nothing' }
  const without_directive = plain.replace(DIRECTIVE, '')
  if (raw.endsWith('?') && without_directive === plain) return { kind: 'ask', question: `${trimPunctuation(plain)}?` }
  const topic = shorten(trimPunctuation(without_directive), 160)
  return topic === ''
    ? { kind: 'nothing' }
    : { kind: 'require', statement: shorten(trimPunctuation(plain), 300), topic }
}

function readReplacement(asked: string, quote: string | null): Intent | undefined {
  const pair =
    /^(?:replace|swap|exchange|substitute)\s+(.{1,400}?)\s+(?:with|by|for)\s+(.{1,400})$/i.exec(asked) ??
    /^(?:change|rename|correct|reword|rephrase|turn)\s+(.{1,400}?)\s+(?:to|into)\s+(.{1,400})$/i.exec(asked)
  const instead = /^(?:use|say|write|put)\s+(.{1,400}?)\s+instead of\s+(.{1,400})$/i.exec(asked)
  const should_read = /^(?:this |it |that )?should (?:say|read|be called)\s*:?\s+(.{1,400})$/i.exec(asked)?.[1]
  const from = pair?.[1] ?? instead?.[2] ?? (should_read === undefined ? undefined : 'this')
  const to = pair?.[2] ?? instead?.[1] ?? should_read
  if (from === undefined || to === undefined) return undefined
  const target = THIS.test(from) ? quote : unquote(from)
  return target === null ? undefined : { kind: 'replace', from: target, to: withoutMarker(unquote(to)) }
}

const unquote = (text: string): string => text.trim().replace(/^["“”'‘«`](.+)["“”'’»`]$/s, '$1')

/** A reviewer's words open no question of their own: after clarifying, none may be left. */
const withoutMarker = (text: string): string => text.replace(/\[?NEEDS CLARIFICATION:?\s*([^\]]*)\]?/gi, '$1')

/** Safe inside a document: one line, no markup. */
export const oneLine = (text: string): string => plainText(text).replace(/\s+/g, ' ').trim()
