import {
  digestSchema,
  renderedArtifactSchema,
  ServiceError,
  type Digest,
  type RenderedArtifact,
} from '@orchestrator/contract'
import { contentResponse, errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { WorkflowStore } from '../core/ports.ts'
import { rolesFor } from '../core/privileges.ts'

export interface ArtifactRoutesOptions {
  store: WorkflowStore
  render: (artifact: { digest: Digest; path: string; media_type: string; content: Uint8Array }) => RenderedArtifact
}

/** What agents wrote is hostile text: raw it is a download, readable it is sanitised. */
export function artifactRoutes(app: Server, { store, render }: ArtifactRoutesOptions): void {
  const tags = ['artifacts']
  const params = z.strictObject({ digest: digestSchema })

  const getArtifact = async (digest: Digest) => {
    const artifact = await store.findArtifact(digest)
    if (artifact === undefined) throw new ServiceError('ARTIFACT_NOT_FOUND', `There is no artifact ${digest}.`)
    return { digest, ...artifact }
  }

  app.get(
    '/artifacts/:digest',
    {
      config: { roles: rolesFor('read') },
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
      config: { roles: rolesFor('read') },
      schema: {
        tags,
        summary: 'An artifact as sanitised HTML',
        params,
        response: { 200: renderedArtifactSchema, ...errorResponses('ARTIFACT_NOT_FOUND') },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'private, max-age=31536000, immutable')
      return render(await getArtifact(request.params.digest))
    },
  )
}
