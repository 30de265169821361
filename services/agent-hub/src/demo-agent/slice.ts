import { slugOf, uncapitalise } from './clean-text.ts'
import { oneLine } from './comments.ts'
import { readDescription, phraseOf } from './read-description.ts'
import { readSpec, type SpecReading } from './spec-text.ts'
import type { CommandInput } from './outcome.ts'
import { findVerb, kindOfVerb, type VerbKind } from './verbs.ts'

/**
 * What the demo agent plans, breaks down and builds: one small module in plain JavaScript, with one
 * file and one test per user story. A first slice of the feature, and honest about being no more.
 */
export interface Slice {
  title: string
  folder: string
  tests: string
  readme: string
  entries: string
  entries_test: string
  index: string
  stories: SliceStory[]
  spec: SpecReading
  /** First key entity: what one entry stands for. */
  entity: string
}

export interface SliceStory {
  number: number
  /** `User Story 1`’s title, as one line of plain words. */
  title: string
  priority: string
  phrase: string
  kind: VerbKind
  function_name: string
  file: string
  test: string
}

const STORIES_LIMIT = 8

/** From the specification where there is one, else from the description. */
export async function readSlice({ invocation, findFile }: CommandInput): Promise<Slice> {
  const { feature_id, feature_directory, feature_description } = invocation
  const description = readDescription(feature_description, feature_id)
  const found = readSpec((await findFile(`${feature_directory}/spec.md`)) ?? '')
  const told =
    found.stories.length > 0
      ? found.stories
      : description.actions.map((action, index) => ({
          number: index + 1,
          title: phraseOf(action),
          priority: `P${Math.min(index + 1, 3)}`,
        }))
  const slug = slugOf(feature_id.replace(/^\d+-/, ''), 'feature')
  const folder = `src/${slug}`
  const tests = `tests/${slug}`
  const unique = [...new Map(told.map((story) => [story.number, story])).values()].slice(0, STORIES_LIMIT)
  return {
    title: oneLine(found.title ?? description.title) || 'The feature',
    folder,
    tests,
    readme: `${folder}/README.md`,
    entries: `${folder}/entries.mjs`,
    entries_test: `${tests}/entries.test.mjs`,
    index: `${folder}/index.mjs`,
    stories: unique.map(({ number, title, priority }) => storyOf(number, oneLine(title), priority, folder, tests)),
    spec: found,
    entity: oneLine(found.entities[0] ?? description.entities[0] ?? 'Entry').toLowerCase() || 'entry',
  }
}

function storyOf(number: number, title: string, priority: string, folder: string, tests: string): SliceStory {
  const name = `us${number}-${slugOf(title, 'story')}`
  const verb = findVerb(title.split(' '), 0)?.verb ?? 'use'
  return {
    number,
    title: title === '' ? `Story ${number}` : title,
    priority,
    phrase: uncapitalise(title === '' ? `use story ${number}` : title),
    kind: kindOfVerb(verb),
    function_name: functionName(slugOf(title, 'story'), number),
    file: `${folder}/${name}.mjs`,
    test: `${tests}/${name}.test.mjs`,
  }
}

/** `upload-photos` → `uploadPhotos1`: the number keeps it apart from reserved words and from other stories. */
const functionName = (slug: string, number: number): string =>
  `${/^\d/.test(slug) ? 'story' : ''}${slug.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}${number}`

/** Requirements that a story's own words answer; the others are for a person, or a real agent, to build. */
export const requirementsOfStory = (slice: Slice, story: SliceStory): string[] =>
  slice.spec.requirements
    .filter(({ text }) => text.toLowerCase().includes(story.phrase.toLowerCase()))
    .map(({ id }) => id)

export const uncoveredRequirements = (slice: Slice): string[] => {
  const covered = new Set(slice.stories.flatMap((story) => requirementsOfStory(slice, story)))
  return slice.spec.requirements.map(({ id }) => id).filter((id) => !covered.has(id))
}
