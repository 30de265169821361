import { headingOf, proseLines } from './prose.ts'
import { taskLines, type TaskLine } from './task-lines.ts'
import { userStories, type UserStory } from './user-stories.ts'

export interface CoveredRequirement {
  /** `FR-001`, or `SC-001` of a success criterion. */
  id: string
  text: string
  line: number
  /** Lines of the plan that name it. */
  plan_lines: number[]
  /** `named`: a task names it. `story`: it belongs to a story that has tasks. */
  covered_by: 'named' | 'story' | null
  /** Ids of those tasks. */
  tasks: string[]
  stories: string[]
}

export interface CoveredStory extends UserStory {
  tasks: number
  ticked: number
}

export interface Coverage {
  requirements: CoveredRequirement[]
  stories: CoveredStory[]
  tasks: { total: number; ticked: number }
}

/** So that a hostile document cannot fill an answer. */
const REQUIREMENTS_MAX = 1000
const LINES_MAX = 50

/**
 * Which requirement the plan names and which tasks carry it out: those that name it, else those of the stories it
 * belongs to: named on its own line (`US1`, `User Story 1`), or naming it in their section of the specification.
 */
export function coverageOf(documents: { spec: string; plan: string; tasks: string }): Coverage {
  const spec = readSpec(documents.spec)
  const planned = mentions(documents.plan)
  const tasks = taskLines(documents.tasks).filter((task) => task.id !== null)
  const naming = groupBy(tasks, ({ text }) => idsIn(text))
  const of_story = groupBy(tasks, ({ story }) => (story === null ? [] : [story]))
  const requirements = spec.requirements.map(({ id, text, line }): CoveredRequirement => {
    const stories = [...(spec.stories_of.get(id) ?? [])]
    const named = naming.get(id) ?? []
    const by_story = stories.flatMap((story) => of_story.get(story) ?? [])
    const covering = named.length > 0 ? named : by_story
    return {
      id,
      text,
      line,
      plan_lines: (planned.get(id) ?? []).slice(0, LINES_MAX),
      covered_by: named.length > 0 ? 'named' : by_story.length > 0 ? 'story' : null,
      tasks: covering.map((task) => task.id ?? ''),
      stories,
    }
  })
  const stories = userStories(documents.spec).map((story) => {
    const own = of_story.get(story.id) ?? []
    return { ...story, tasks: own.length, ticked: countTicked(own) }
  })
  return { requirements, stories, tasks: { total: tasks.length, ticked: countTicked(tasks) } }
}

const countTicked = (tasks: readonly TaskLine[]) => tasks.filter((task) => task.ticked).length

const idsIn = (text: string): string[] => [...new Set(text.match(/\b(?:FR|SC)-\d{3,6}\b/g))]

/** A requirement is told where its line begins with its id; the stories that it belongs to, wherever both are named. */
function readSpec(spec: string) {
  const requirements = new Map<string, { id: string; text: string; line: number }>()
  const stories_of = new Map<string, Set<string>>()
  let section: string | undefined
  for (const { text, number } of proseLines(spec)) {
    const heading = headingOf(text)
    if (heading !== undefined) {
      const story = /user story (\d{1,3})\b/i.exec(heading.title)?.[1]
      if (story !== undefined) section = `US${story}`
      else if (heading.level <= 3) section = undefined
    }
    const told = /^\s{0,8}[-*|]?\s{0,4}\**((?:FR|SC)-\d{3,6})\**\s{0,4}[:|.–-]?\**\s{0,4}(.*)$/.exec(text)
    const id = told?.[1]
    if (id !== undefined && !requirements.has(id) && requirements.size < REQUIREMENTS_MAX) {
      requirements.set(id, {
        id,
        text: (told?.[2] ?? '')
          .replace(/\|\s*$/, '')
          .trim()
          .slice(0, 500),
        line: number,
      })
    }
    const ids = idsIn(text)
    if (ids.length === 0) continue
    const named = [...text.matchAll(/\b(?:US|user stor(?:y|ies) )(\d{1,3})\b/gi)].map(
      ([, digits]) => `US${digits ?? ''}`,
    )
    for (const id of ids) {
      const known = stories_of.get(id) ?? new Set()
      for (const story of [...named, ...(section === undefined ? [] : [section])]) known.add(story)
      stories_of.set(id, known)
    }
  }
  return { requirements: [...requirements.values()], stories_of }
}

function mentions(text: string): Map<string, number[]> {
  const lines = proseLines(text).map(({ text, number }) => ({ ids: idsIn(text), number }))
  const found = groupBy(lines, ({ ids }) => ids)
  return new Map([...found].map(([id, named]) => [id, named.map(({ number }) => number)]))
}

function groupBy<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [item])
      else group.push(item)
    }
  }
  return groups
}
