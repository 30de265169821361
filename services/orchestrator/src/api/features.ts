import {
  featureIdSchema,
  featurePageSchema,
  featureDetailSchema,
  ServiceError,
  workflowTypeSchema,
} from '@orchestrator/contract'
import { errorResponses, pageQuerySchema, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { Budgets } from '../core/budgets.ts'
import { WORKFLOW_DEFINITIONS } from '../core/definitions.ts'
import { cursorOf } from '../core/cursor.ts'
import { describeFeature, type FeatureStore } from '../core/feature-detail.ts'
import type { WorkflowStore } from '../core/ports.ts'
import { rolesFor } from '../core/privileges.ts'
import { unknownFeature } from '../core/sentences.ts'

export interface FeatureRoutesOptions {
  store: WorkflowStore
  features: FeatureStore
  budgets: Pick<Budgets, 'ofFeature'>
}

export function featureRoutes(app: Server, { store, features, budgets }: FeatureRoutesOptions): void {
  const tags = ['features']

  app.get(
    '/features',
    {
      config: { roles: rolesFor('read'), scope: 'limited' },
      schema: {
        tags,
        summary: 'List features, newest first',
        querystring: pageQuerySchema,
        response: { 200: featurePageSchema, ...errorResponses() },
      },
    },
    async (request) => {
      const { limit } = request.query
      const rows = await store.listFeatures(
        cursorOf(request.query.cursor) ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
        request.actor.workspaces,
      )
      const items = rows.slice(0, limit)
      return {
        items,
        next_cursor: rows.length > limit ? String(items.at(-1)?.sequence) : null,
      }
    },
  )

  app.get(
    '/features/:feature_id',
    {
      config: { roles: rolesFor('read'), scope: 'feature' },
      schema: {
        tags,
        summary: 'A feature: workflows, artifacts, coverage of its requirements, time and cost',
        params: z.strictObject({ feature_id: featureIdSchema }),
        response: { 200: featureDetailSchema, ...errorResponses('FEATURE_NOT_FOUND') },
      },
    },
    async (request) => {
      const feature = await describeFeature({ store, features }, request.params.feature_id)
      if (feature === undefined) throw new ServiceError('FEATURE_NOT_FOUND', unknownFeature(request.params.feature_id))
      return { ...feature, budget: await budgets.ofFeature(feature.id) }
    },
  )

  app.get(
    '/workflow-types',
    {
      config: { roles: rolesFor('read'), scope: 'shared' },
      schema: {
        tags: ['workflows'],
        summary: 'The workflow types and their phases',
        response: { 200: z.object({ items: z.array(workflowTypeSchema) }) },
      },
    },
    async () => ({ items: Object.values(WORKFLOW_DEFINITIONS) }),
  )
}
