import type { Slice, SliceStory } from './slice.ts'
import type { VerbKind } from './verbs.ts'

const NOTE = '// Written by the offline demo agent: a first slice, made by template. No language model has read it.'

/** What one entry is, and the rules for it. */
export const entriesCode = (slice: Slice): string => `${NOTE}

const NAME_LIMIT = 200

/** What a person asked for and cannot have; the message says why. */
export class RefusedError extends Error {
  name = 'RefusedError'
}

/** Keeps each ${slice.entity} in memory. \`now\` answers the time, for tests. */
export function createEntries({ now = () => new Date() } = {}) {
  const kept = new Map()
  let last_id = 0

  const get = (id) => {
    const entry = kept.get(id)
    if (entry === undefined) throw new RefusedError(\`There is no entry \${id}; it may have been removed.\`)
    return entry
  }
  const keep = (entry) => {
    kept.set(entry.id, Object.freeze(entry))
    return entry
  }

  return {
    get,
    add({ name, ...details } = {}) {
      const time = now().toISOString()
      last_id += 1
      return keep({ id: last_id, name: checkedName(name), details, version: 1, created_at: time, changed_at: time })
    },
    /** All entries, or those that hold the words, by name. */
    list(words = '') {
      const wanted = words.trim().toLowerCase()
      return [...kept.values()].filter(({ name }) => name.toLowerCase().includes(wanted)).sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id)
    },
    /** \`version\` is the one that the change was made on. */
    change(id, version, { name, ...details }) {
      const entry = get(id)
      if (entry.version !== version) throw new RefusedError(\`Entry \${id} was changed meanwhile: it is at version \${entry.version}, not \${version}.\`)
      return keep({
        ...entry,
        name: name === undefined ? entry.name : checkedName(name),
        details: { ...entry.details, ...details },
        version: version + 1,
        changed_at: now().toISOString(),
      })
    },
    remove(id) {
      const entry = get(id)
      kept.delete(id)
      return entry
    },
  }
}

function checkedName(name) {
  if (typeof name !== 'string' || name.trim() === '') throw new RefusedError('A name is missing.')
  if (name.trim().length > NAME_LIMIT) throw new RefusedError(\`The name is longer than \${NAME_LIMIT} characters.\`)
  return name.trim()
}
`

export const entriesTestCode = (slice: Slice): string => `${NOTE}
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createEntries, RefusedError } from '${fromTests(slice, slice.entries)}'

test('an entry is kept as it was entered', () => {
  const entries = createEntries({ now: () => new Date('2026-01-31T12:00:00Z') })
  const entry = entries.add({ name: ' First ', colour: 'blue' })
  assert.deepEqual(entries.get(entry.id), {
    id: 1,
    name: 'First',
    details: { colour: 'blue' },
    version: 1,
    created_at: '2026-01-31T12:00:00.000Z',
    changed_at: '2026-01-31T12:00:00.000Z',
  })
})

test('a missing or overlong name is refused, and nothing is kept', () => {
  const entries = createEntries()
  assert.throws(() => entries.add({ name: ' ' }), RefusedError)
  assert.throws(() => entries.add({ name: 'x'.repeat(201) }), RefusedError)
  assert.deepEqual(entries.list(), [])
})

test('a change on an old version is refused', () => {
  const entries = createEntries()
  const { id } = entries.add({ name: 'First' })
  entries.change(id, 1, { name: 'Second' })
  assert.throws(() => entries.change(id, 1, { name: 'Third' }), /meanwhile/)
  assert.equal(entries.get(id).name, 'Second')
})
`

interface Pattern {
  parameters: string
  body: string
  needs_refused: boolean
  /** Statements of a test; \`run\` stands for the function. */
  test: string
}

const PATTERNS: Readonly<Record<VerbKind, Pattern>> = {
  create: {
    parameters: 'entries, details',
    body: '  return entries.add(details)',
    needs_refused: false,
    test: `  const added = run(entries, { name: 'First' })
  assert.deepEqual(entries.list(), [added])
  assert.throws(() => run(entries, {}), /name is missing/)
  assert.equal(entries.list().length, 1)`,
  },
  read: {
    parameters: "entries, words = ''",
    body: '  return entries.list(words)',
    needs_refused: false,
    test: `  assert.deepEqual(run(entries), [])
  for (const name of ['Pear', 'Apple', 'Pineapple']) entries.add({ name })
  assert.deepEqual(run(entries, 'apple').map(({ name }) => name), ['Apple', 'Pineapple'])`,
  },
  change: {
    parameters: 'entries, id, version, changes',
    body: '  return entries.change(id, version, changes)',
    needs_refused: false,
    test: `  const { id } = entries.add({ name: 'First' })
  run(entries, id, 1, { place: 'A' })
  assert.equal(entries.get(id).details.place, 'A')
  assert.throws(() => run(entries, id, 1, { place: 'B' }), /meanwhile/)
  assert.equal(entries.get(id).details.place, 'A')`,
  },
  remove: {
    parameters: 'entries, id',
    body: '  return entries.remove(id)',
    needs_refused: false,
    test: `  const gone = entries.add({ name: 'First' })
  const stays = entries.add({ name: 'Second' })
  run(entries, gone.id)
  assert.deepEqual(entries.list(), [stays])
  assert.throws(() => run(entries, gone.id), /removed/)`,
  },
  send: {
    parameters: 'entries, id, recipient, deliver',
    body: `  const entry = entries.get(id)
  if (typeof recipient !== 'string' || recipient.trim() === '') throw new RefusedError('A recipient is missing.')
  const sent_to = entry.details.sent_to ?? []
  if (sent_to.includes(recipient)) return entry
  deliver(recipient, entry)
  return entries.change(id, entry.version, { sent_to: [...sent_to, recipient] })`,
    needs_refused: true,
    test: `  const { id } = entries.add({ name: 'First' })
  const delivered = []
  const deliver = (recipient) => delivered.push(recipient)
  run(entries, id, 'ann', deliver)
  run(entries, id, 'ann', deliver)
  assert.deepEqual(delivered, ['ann'])
  assert.throws(() => run(entries, id, ' ', deliver), /recipient is missing/)`,
  },
  enter: {
    parameters: 'entries, name, confirm',
    body: `  if (confirm(name) !== true) throw new RefusedError('That did not work. Check what you entered, or try another way.')
  return entries.list().find((entry) => entry.name === name) ?? entries.add({ name })`,
    needs_refused: true,
    test: `  const confirm = (name) => name === 'ann'
  assert.equal(run(entries, 'ann', confirm).name, 'ann')
  assert.equal(run(entries, 'ann', confirm).id, 1)
  assert.throws(() => run(entries, 'bob', confirm), /did not work/)
  assert.equal(entries.list().length, 1)`,
  },
  produce: {
    parameters: 'entries',
    body: `  const lines = entries.list().map(({ id, name }) => \`\${id},"\${name.replaceAll('"', '""')}"\`)
  if (lines.length === 0) throw new RefusedError('There is nothing to work on yet.')
  return ['id,name', ...lines].join('\\n')`,
    needs_refused: true,
    test: `  assert.throws(() => run(entries), /nothing to work on/)
  entries.add({ name: 'Say "hi"' })
  assert.equal(run(entries), 'id,name\\n1,"Say ""hi"""')`,
  },
  use: {
    parameters: 'entries, id',
    body: `  const entry = entries.get(id)
  return entries.change(id, entry.version, { times_used: (entry.details.times_used ?? 0) + 1 })`,
    needs_refused: false,
    test: `  const { id } = entries.add({ name: 'First' })
  run(entries, id)
  assert.equal(run(entries, id).details.times_used, 2)
  assert.throws(() => run(entries, 99), /no entry 99/)`,
  },
}

export function storyCode(story: SliceStory): string {
  const { parameters, body, needs_refused } = PATTERNS[story.kind]
  return `${NOTE}
${needs_refused ? "import { RefusedError } from './entries.mjs'\n" : ''}
/** User Story ${story.number}: ${story.title}. */
export function ${story.function_name}(${parameters}) {
${body}
}
`
}

export const storyTestCode = (slice: Slice, story: SliceStory): string => `${NOTE}
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createEntries } from '${fromTests(slice, slice.entries)}'
import { ${story.function_name} as run } from '${fromTests(slice, story.file)}'

test(${JSON.stringify(story.title)}, () => {
  const entries = createEntries()
${PATTERNS[story.kind].test}
})
`

export const indexCode = (slice: Slice): string =>
  `${NOTE}\nexport * from './entries.mjs'\n${slice.stories.map(({ file, function_name }) => `export { ${function_name} } from './${file.slice(slice.folder.length + 1)}'\n`).join('')}`

const fromTests = (slice: Slice, path: string): string => `../../${slice.folder}/${path.slice(slice.folder.length + 1)}`
