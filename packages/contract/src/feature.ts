import * as z from 'zod'

import { featureIdSchema, nameSchema, pageOf, timestampSchema } from './ids.ts'
import { workflowSchema } from './workflow.ts'

/** One thing being built; owns `specs/NNN-slug/` and the branch of that name. */
export const featureSchema = z
  .object({
    id: featureIdSchema,
    workspace: nameSchema,
    description: z.string(),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'Feature' })
export type Feature = z.infer<typeof featureSchema>

export const featureWithWorkflowsSchema = featureSchema
  .extend({ workflows: z.array(workflowSchema).describe('Oldest first') })
  .meta({ id: 'FeatureWithWorkflows' })
export type FeatureWithWorkflows = z.infer<typeof featureWithWorkflowsSchema>
export const featurePageSchema = pageOf(featureSchema).meta({ id: 'FeaturePage' })
