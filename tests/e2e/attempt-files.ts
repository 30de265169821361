import { createHash } from 'node:crypto'

import { succeed, type Behaviour, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'

/** An attempt that leaves these files, and says of each comment that it was acted on. */
export function leave(hub: PlainHub, files: Record<string, string>, reply?: string): Behaviour {
  const artifacts = Object.entries(files).map(([path, text]) => {
    const content = new TextEncoder().encode(text)
    const digest = createHash('sha256').update(content).digest('hex')
    hub.artifacts.set(digest, content)
    return { path, digest, size: content.byteLength, media_type: 'text/markdown' }
  })
  return (received, response) => {
    const asked = received.body.context.feedback?.threads ?? []
    const threads = asked.map(({ id }) => ({ id, fate: 'addressed' as const, reply: reply ?? null }))
    return succeed({ data: { artifacts, threads: reply === undefined ? [] : threads } })(received, response)
  }
}

/** `## Part 1` and so on, each with a sentence; those named say something else. */
export const partsOf = (count: number, other: Record<number, string> = {}): string =>
  Array.from(
    { length: count },
    (_, index) => `## Part ${index + 1}\n\n${other[index + 1] ?? `It does ${index + 1}.`}\n`,
  ).join('\n')
