import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** WCAG 2.2: 4.5 for text (1.4.3), 3 for the borders of fields and the focus ring (1.4.11). */
const TEXT = 4.5
const SHAPE = 3

const css = readFileSync(new URL('../../src/styles/main.css', import.meta.url), 'utf8')
const tokens = new Map(
  [...css.matchAll(/--color-([\w-]+):\s*(?:light-dark\((#\w{6}),\s*(#\w{6})\)|(#\w{6}));/g)].map(
    ([, name = '', light, dark, both]) => [name, { light: light ?? both ?? '', dark: dark ?? both ?? '' }],
  ),
)

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const surfaces = ['canvas', 'surface', 'raised', 'sunken', 'hover']
const words = ['ink', 'soft', 'faint', 'accent', 'waiting', 'done', 'failed', 'running']
/** Where code is read: its block, a source file, and what came or went in a comparison. */
const code_surfaces = ['canvas', 'surface', 'hover', 'added', 'added-word', 'removed', 'removed-word', 'waiting-soft']
const code_words = ['keyword', 'string', 'number', 'comment', 'name', 'type', 'property'].map((kind) => `code-${kind}`)
const pairs: [string, string, number][] = [
  ...surfaces.flatMap((surface) => words.map((word): [string, string, number] => [word, surface, TEXT])),
  ...code_surfaces.flatMap((surface) =>
    ['ink', ...code_words].map((word): [string, string, number] => [word, surface, TEXT]),
  ),
  ...['waiting', 'running', 'done', 'failed', 'queued'].map((tone): [string, string, number] => [
    tone,
    `${tone}-soft`,
    TEXT,
  ]),
  ...['waiting', 'running', 'done', 'failed', 'queued'].map((tone): [string, string, number] => [
    'ink',
    `${tone}-soft`,
    TEXT,
  ]),
  ['accent', 'accent-soft', TEXT],
  ['ink', 'accent-soft', TEXT],
  ['soft', 'accent-soft', TEXT],
  ['on-solid', 'solid', TEXT],
  ['on-solid', 'solid-hover', TEXT],
  ['on-solid', 'failed-solid', TEXT],
  ...['canvas', 'surface', 'raised'].map((surface): [string, string, number] => ['line-strong', surface, SHAPE]),
]

describe('contrast of the tokens that are used together', () => {
  it.each(pairs)('%s on %s is at least %d in both themes', (word, surface, least) => {
    const front = tokens.get(word)
    const back = tokens.get(surface)
    expect(front).toBeDefined()
    expect(back).toBeDefined()
    expect(contrast(front?.light ?? '', back?.light ?? '')).toBeGreaterThanOrEqual(least)
    expect(contrast(front?.dark ?? '', back?.dark ?? '')).toBeGreaterThanOrEqual(least)
  })
})
