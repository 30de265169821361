import { createHash } from 'node:crypto'

import type { Artifact } from '@orchestrator/contract'

import { succeed, type Behaviour, type PlainHub } from './plain-hub.ts'

/** An agent that left these files, served by the hub: path → text. */
export function leave(
  hub: PlainHub,
  files: Readonly<Record<string, string>>,
  data: object = {},
  result: object = {},
): Behaviour {
  const artifacts = Object.entries(files).map(([path, text]): Artifact => {
    const bytes = new TextEncoder().encode(text)
    const digest = createHash('sha256').update(bytes).digest('hex') as Artifact['digest']
    hub.artifacts.set(digest, bytes)
    return { path, digest, size: bytes.byteLength, media_type: 'text/markdown' }
  })
  return succeed({ ...result, data: { artifacts, ...data } })
}
