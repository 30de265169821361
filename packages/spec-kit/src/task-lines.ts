import { headingOf, proseLines } from './prose.ts'

/** One task of tasks.md, as far as its line can be read. */
export interface TaskLine {
  line: number
  /** Null where the line does not have the format. */
  id: string | null
  ticked: boolean
  parallel: boolean
  story: string | null
  text: string
  /** Title of the phase it stands in. */
  phase: string
  /** Files that it names; looked for when it is asked, for that takes longer than all the rest. */
  readonly paths: readonly string[]
}

export const TASK_PATTERN = /^- \[[ xX]\] (T\d{3,})( \[P\])?( \[US\d+\])? \S.*$/
const LIKE_A_TASK = /^\s{0,12}[-*+] ?\[[^\]]{0,3}\]/

/** Every line that is, or was meant as, a task. Linear in the size of the text. */
export function taskLines(text: string): TaskLine[] {
  const tasks: TaskLine[] = []
  let phase = ''
  for (const line of proseLines(text)) {
    const heading = headingOf(line.text)
    if (heading !== undefined) {
      if (heading.level === 2) phase = heading.title
      continue
    }
    const wanted = LIKE_A_TASK.test(line.text) || /^\s{0,12}[-*+] T\d{3,}\b/.test(line.text)
    if (!wanted) continue
    const match = TASK_PATTERN.exec(line.text)
    const rest = match === null ? line.text : line.text.slice('- [ ] '.length)
    let paths: readonly string[] | undefined
    tasks.push({
      line: line.number,
      id: match?.[1] ?? null,
      ticked: /^\s{0,12}[-*+] ?\[[xX]\]/.test(line.text),
      parallel: match?.[2] !== undefined,
      story: match?.[3]?.trim().slice(1, -1) ?? null,
      text: rest,
      phase,
      get paths() {
        return (paths ??= pathsIn(rest))
      },
    })
  }
  return tasks
}

/** Words that look like files or folders: `src/a.ts`, `` `README.md` ``. */
export function pathsIn(text: string): string[] {
  const paths = new Set<string>()
  for (const word of text.slice(0, 4000).split(/[\s`'"()<>,;]+/)) {
    if (!word.includes('/') && !word.includes('.')) continue
    const path = word.replace(/[.:]+$/, '').replace(/^\.\//, '')
    if (path.length > 300 || path.includes('://') || path.startsWith('[')) continue
    const is_path =
      /^[\p{L}\p{N}_.@-][\p{L}\p{N}_.@/-]*\/[\p{L}\p{N}_.@/-]*$/u.test(path) ||
      /^[\p{L}\p{N}_-][\p{L}\p{N}_.-]*\.[A-Za-z][A-Za-z0-9]{0,5}$/u.test(path)
    if (is_path && !/^(?:and\/or|e\.g|i\.e|n\/a|\d+\/\d+)$/i.test(path)) paths.add(path)
  }
  return [...paths]
}

/** Labels such as `US1` belong into the phase of a story, and into later phases of mending. */
export const isStoryPhase = (phase: string): boolean => /\buser stor(?:y|ies)\b|\bUS\d|\bconvergence\b/i.test(phase)
