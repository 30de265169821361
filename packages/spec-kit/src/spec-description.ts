import { headingOf, proseLines } from './prose.ts'

const DESCRIPTION_MAX = 20_000

/**
 * What a specification says it is about: the description that it was made from (`**Input**: …`), else its title.
 * Null where it tells neither.
 */
export function specDescription(spec: string): string | null {
  const lines = proseLines(spec)
  const input = lines.findIndex(({ text }) => /^\s{0,3}\**(?:Input|Description)\**:/i.test(text))
  if (input !== -1) {
    const end = lines.findIndex(({ text }, at) => at > input && (text.trim() === '' || headingOf(text) !== undefined))
    const told = lines.slice(input, end === -1 ? undefined : end).map(({ text }) => text.trim())
    const said = unquoted(
      told
        .join(' ')
        .replace(/^\**(?:Input|Description)\**:\**\s*/i, '')
        .replace(/^User description:\s*/i, ''),
    )
    if (said !== '') return said.slice(0, DESCRIPTION_MAX)
  }
  const title = lines.map(({ text }) => headingOf(text)).find((heading) => heading?.level === 1)?.title
  const named = title?.replace(/^(?:feature )?specification:\s*/i, '').trim() ?? ''
  return named === '' ? null : named.slice(0, DESCRIPTION_MAX)
}

const unquoted = (text: string) =>
  text
    .trim()
    .replace(/^["“](.*)["”]$/s, '$1')
    .trim()
