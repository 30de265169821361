import {
  digestSchema,
  renderedArtifactSchema,
  renderedDiffSchema,
  ServiceError,
  type Digest,
  type RenderedArtifact,
  type RenderedDiff,
} from '@orchestrator/contract'
import { contentResponse, errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { WorkflowStore } from '../core/ports.ts'
import { rolesFor } from '../core/privileges.ts'
import { unknownArtifact } from '../core/sentences.ts'

interface StoredArtifact {
  digest: Digest
  path: string
  media_type: string
  content: Uint8Array
}

export interface ArtifactRoutesOptions {
  store: WorkflowStore
  renderer: {
    render(artifact: StoredArtifact): Promise<RenderedArtifact>
    compare(before: StoredArtifact, after: StoredArtifact, by_lines: boolean): Promise<RenderedDiff>
  }
}

/** What agents wrote is hostile text: raw it is a download, readable it is sanitised. */
export function artifactRoutes(app: Server, { store, renderer }: ArtifactRoutesOptions): void {
  const tags = ['artifacts']
  const params = z.strictObject({ digest: digestSchema })

  const getArtifact = async (digest: Digest) => {
    const artifact = await store.findArtifact(digest)
    if (artifact === undefined) throw new ServiceError('ARTIFACT_NOT_FOUND', unknownArtifact(digest))
    return { digest, ...artifact }
  }

  app.get(
    '/artifacts/:digest',
    {
      config: { roles: rolesFor('read'), scope: 'artifact' },
      schema: {
        tags,
        summary: 'The bytes of an artifact, as a download',
        params,
        response: {
          ...contentResponse('text/plain', 'The bytes, as a download'),
          ...errorResponses('ARTIFACT_NOT_FOUND'),
        },
      },
    },
    async (request, reply) => {
      const { content, path } = await getArtifact(request.params.digest)
      const name = encodeURIComponent(path.split('/').at(-1) ?? 'artifact')
      return reply
        .header('content-type', 'text/plain; charset=utf-8')
        .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
        .header('cache-control', 'private, max-age=31536000, immutable')
        .send(Buffer.from(content))
    },
  )

  app.get(
    '/artifacts/:digest/rendered',
    {
      config: { roles: rolesFor('read'), scope: 'artifact' },
      schema: {
        tags,
        summary: 'An artifact as sanitised HTML',
        params,
        response: { 200: renderedArtifactSchema, ...errorResponses('ARTIFACT_NOT_FOUND') },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'private, max-age=31536000, immutable')
      return renderer.render(await getArtifact(request.params.digest))
    },
  )

  app.get(
    '/artifacts/:digest/diff/:base',
    {
      config: { roles: rolesFor('read'), scope: 'artifact' },
      schema: {
        tags,
        summary: 'How the artifact `base` became this one, as sanitised HTML and as hunks',
        params: params.extend({ base: digestSchema }),
        querystring: z.strictObject({
          by: z
            .enum(['words', 'lines'])
            .default('words')
            .describe('`lines`: a document too as its source, line by line'),
        }),
        response: { 200: renderedDiffSchema, ...errorResponses('ARTIFACT_NOT_FOUND') },
      },
    },
    async (request, reply) => {
      const { digest, base } = request.params
      const [before, after] = await Promise.all([getArtifact(base), getArtifact(digest)])
      reply.header('cache-control', 'private, max-age=31536000, immutable')
      return renderer.compare(before, after, request.query.by === 'lines')
    },
  )
}
