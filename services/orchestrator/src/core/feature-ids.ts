import type { FeatureId } from '@orchestrator/contract'

/** Words that say nothing about a feature; a name of these only falls back to them. */
const FILLER = new Set(
  'a an the and or of to for in on at by with from into as is are be being been it its this that these those we i our my your their user-story please should would could can will shall must want wants need needs add create make build implement introduce provide support allow allows enable let lets so using use via'.split(
    ' ',
  ),
)
const WORDS_MAX = 5
const SLUG_MAX = 50

/** `007-user-authentication-oauth2`: the number, then the words of the description that carry meaning. */
export function featureIdFor(number: number, description: string): FeatureId {
  return `${String(number).padStart(3, '0')}-${slugOf(description)}` as FeatureId
}

function slugOf(description: string): string {
  const words = description
    .slice(0, 1000)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    // Up and down again, which takes apart what NFKD leaves: ß becomes ss.
    .toUpperCase()
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const telling = words.filter((word) => !FILLER.has(word))
  const slug = (telling.length > 0 ? telling : words)
    .slice(0, WORDS_MAX)
    .join('-')
    .slice(0, SLUG_MAX)
    .replace(/-+$/, '')
  return slug === '' ? 'feature' : slug
}
