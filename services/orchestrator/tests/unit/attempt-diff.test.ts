import { ServiceError, type Attempt, type AttemptId, type Digest } from '@orchestrator/contract'
import { expect, it } from 'vitest'

import { diffAttempts, type TwoVersions } from '../../src/core/attempt-diff.ts'

/** An attempt with these files; a file's content is its digest. */
const attempt = (id: string, files: Record<string, string>) =>
  ({
    id,
    artifacts: Object.entries(files).map(([path, digest]) => ({ path, digest, size: 1, media_type: 'text/plain' })),
  }) as unknown as Attempt

const store = {
  findArtifact: async (digest: Digest) => ({ content: Buffer.from(digest), media_type: 'text/plain' }),
}
const textOf = (content: Uint8Array | undefined) => Buffer.from(content ?? []).toString()
const told = ({ before, after }: TwoVersions) => ({
  diff: `${textOf(before)}→${textOf(after)}`,
  added: 1,
  removed: 1,
})
const diff = (attempts: Attempt[], diffText: (file: TwoVersions) => ReturnType<typeof told> | null = told) =>
  diffAttempts({ store: store as never, diffText }, attempts, 'a' as AttemptId, 'b' as AttemptId)

it('tells what was added, deleted and changed, by path, and not what is the same', async () => {
  const before = attempt('a', { 'gone.md': '1', 'same.md': '2', 'spec.md': '3' })
  const after = attempt('b', { 'spec.md': '4', 'same.md': '2', 'new.md': '5' })
  expect((await diff([before, after])).files).toEqual([
    { path: 'gone.md', change: 'deleted', from_digest: '1', to_digest: null, diff: '1→', added: 1, removed: 1 },
    { path: 'new.md', change: 'added', from_digest: null, to_digest: '5', diff: '→5', added: 1, removed: 1 },
    { path: 'spec.md', change: 'modified', from_digest: '3', to_digest: '4', diff: '3→4', added: 1, removed: 1 },
  ])
})

it('names what it cannot show', async () => {
  const { files } = await diff([attempt('a', {}), attempt('b', { 'logo.png': '1' })], () => null)
  expect(files).toMatchObject([{ path: 'logo.png', change: 'added', diff: null, added: null, removed: null }])
})

it('shows no more files than a person would read, and names the rest', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 250 }, (_, at) => [`${String(at).padStart(3, '0')}.md`, `${at}`]),
  )
  const { files } = await diff([attempt('a', {}), attempt('b', many)])
  expect(files.map((file) => file.diff !== null)).toEqual(Array.from({ length: 250 }, (_, at) => at < 200))
})

it('shows no more characters than fit into an answer', async () => {
  const long = () => ({ diff: 'x'.repeat(3 * 1024 * 1024), added: 1, removed: 0 })
  const { files } = await diff([attempt('a', {}), attempt('b', { '1.md': '1', '2.md': '2', '3.md': '3' })], long)
  expect(files.map((file) => file.diff !== null)).toEqual([true, true, false])
})

it('knows no attempt of another workflow', () => expect(diff([attempt('a', {})])).rejects.toThrow(ServiceError))
