import { headingOf, proseLines } from './prose.ts'

export interface UserStory {
  /** `US1`, as tasks call it. */
  id: string
  title: string
  /** `P1`, where its heading tells one. */
  priority: string | null
  line: number
}

/** The stories of a specification, each once, by its heading `### User Story 1 - … (Priority: P1)`. */
export function userStories(spec: string): UserStory[] {
  const stories = new Map<string, UserStory>()
  for (const { text, number } of proseLines(spec)) {
    const heading = headingOf(text)?.title
    const found = heading === undefined ? null : /user story (\d{1,3})\b[\s:.–—-]*(.*)$/i.exec(heading)
    if (found === null) continue
    const [, digits = '', rest = ''] = found
    const id = `US${digits}`
    const priority = /\(priority: ?(P\d)\)/i.exec(rest)
    const title = rest.replace(/\s*\(priority:[^)]{0,20}\).*$/i, '').trim()
    if (!stories.has(id)) stories.set(id, { id, title, priority: priority?.[1]?.toUpperCase() ?? null, line: number })
  }
  return [...stories.values()]
}
