import { taskLines, type TaskLine } from '@orchestrator/spec-kit'

import type { ChangedFile, PhaseInput, WorkingCopy } from '../../core/ports.ts'

/** A file larger than this is not read, and is an error below `specs/`. */
export const FILE_LIMIT_BYTES = 2_000_000
const FILES_LIMIT = 400
const READ_AT_ONCE = 8

/** What the checks of a phase look at, loaded once; the checks themselves are pure. */
export interface PhaseFiles {
  feature_directory: string
  changes: readonly ChangedFile[]
  /** Of the feature's folder and of what changed, those that can be read: path → text. */
  texts: ReadonlyMap<string, string>
  /** The same files at the branch's last commit. */
  before: ReadonlyMap<string, string>
  /** Every path of the repository. */
  paths: ReadonlySet<string>
  /** Why a file could not be read. */
  unreadable: ReadonlyMap<string, 'outside' | 'too_large' | 'not_utf8'>
  /** Spec Kit's own template of the document, where the project has it. */
  templates: ReadonlyMap<string, string>
  /** The agent's closing message. */
  closing: string
}

/** `spec.md` → `specs/NNN-slug/spec.md`. */
export const inFeature = (files: PhaseFiles, name: string): string => `${files.feature_directory}/${name}`
export const findText = (files: PhaseFiles, name: string): string | undefined => files.texts.get(inFeature(files, name))
const read_once = new WeakMap<PhaseFiles, Map<string, TaskLine[]>>()

/** Of tasks.md as it is or was: many rules look at the same tasks, which are read once in a run. */
export function readTasks(files: PhaseFiles, text: string): TaskLine[] {
  const known = read_once.get(files) ?? new Map<string, TaskLine[]>()
  const tasks = known.get(text) ?? taskLines(text)
  read_once.set(files, known.set(text, tasks))
  return tasks
}
/** Checklists of the feature, sorted. */
export const checklistPaths = (files: PhaseFiles): string[] =>
  [...files.texts.keys()]
    .filter((path) => path.startsWith(inFeature(files, 'checklists/')) && path.endsWith('.md'))
    .toSorted()
export const isDocument = (path: string): boolean => path.startsWith('specs/') || path.startsWith('.specify/')

export async function loadPhaseFiles({ working_copy, look, text }: PhaseInput): Promise<PhaseFiles> {
  const { feature_directory } = working_copy
  const { changes, files } = look
  const isOfFeature = (path: string) => path.startsWith(`${feature_directory}/`)
  const changed = changes.filter(({ change }) => change !== 'deleted').map(({ path }) => path)
  const present = [...new Set([...files.filter(isOfFeature), ...changed])].slice(0, FILES_LIMIT)
  const of_feature = changes.map(({ path }) => path).filter(isOfFeature)
  const [now, committed, own_templates] = await Promise.all([
    readTexts(working_copy, present),
    working_copy.readCommitted(of_feature.slice(0, FILES_LIMIT)),
    readTexts(working_copy, [...TEMPLATES.keys()]),
  ])
  const texts = new Map<string, string>()
  const unreadable = new Map<string, Unreadable['reason']>()
  for (const [path, read] of now) {
    if (typeof read === 'string') texts.set(path, read)
    else unreadable.set(path, read.reason)
  }
  const before = new Map<string, string>()
  for (const [path, bytes] of committed) {
    const read = decode(bytes)
    if (typeof read === 'string') before.set(path, read)
  }
  const templates = new Map<string, string>()
  for (const [path, read] of own_templates) {
    const name = TEMPLATES.get(path)
    if (typeof read === 'string' && name !== undefined) templates.set(name, read)
  }
  const paths = new Set(files)
  return { feature_directory, changes, texts, before, paths, unreadable, templates, closing: text }
}

const TEMPLATES = new Map(
  ['spec', 'plan', 'tasks'].map((name) => [`.specify/templates/${name}-template.md`, `${name}.md`]),
)

type Unreadable = { reason: 'outside' | 'too_large' | 'not_utf8' }

/** In the order of the paths; what is not there is left out. */
async function readTexts(
  working_copy: WorkingCopy,
  paths: readonly string[],
): Promise<Map<string, string | Unreadable>> {
  const texts = new Map<string, string | Unreadable>()
  for (let at = 0; at < paths.length; at += READ_AT_ONCE) {
    // Small files are read at once: where there are many, others have their turn between.
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    const few = paths.slice(at, at + READ_AT_ONCE)
    const read = await Promise.all(few.map(async (path) => readText(() => working_copy.readFile(path))))
    for (const [at, path] of few.entries()) if (read[at] !== undefined) texts.set(path, read[at])
  }
  return texts
}

async function readText(read: () => Promise<Uint8Array | undefined>): Promise<string | Unreadable | undefined> {
  let bytes: Uint8Array | undefined
  try {
    bytes = await read()
  } catch {
    return { reason: 'outside' }
  }
  return bytes && decode(bytes)
}

function decode(bytes: Uint8Array): string | Unreadable {
  if (bytes.byteLength > FILE_LIMIT_BYTES) return { reason: 'too_large' }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return { reason: 'not_utf8' }
  }
}
