import * as z from 'zod'

import { artifactSchema } from './attempt.ts'
import { budgetSchema } from './budget.ts'
import { attemptIdSchema, featureIdSchema, nameSchema, pageOf, timestampSchema, workflowIdSchema } from './ids.ts'
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

/** The latest version of a file, and who left it. */
export const featureArtifactSchema = artifactSchema
  .extend({ workflow_id: workflowIdSchema, attempt_id: attemptIdSchema })
  .meta({ id: 'FeatureArtifact' })
export type FeatureArtifact = z.infer<typeof featureArtifactSchema>

/** Requirement → plan → task, as the documents themselves tell it. */
export const coverageSchema = z
  .object({
    requirements: z.array(
      z.object({
        id: z.string().describe('`FR-001`, or `SC-001` of a success criterion'),
        text: z.string(),
        line: z.int().positive().describe('In spec.md'),
        plan_lines: z.array(z.int().positive()).describe('Where plan.md names it'),
        covered_by: z
          .enum(['named', 'story'])
          .nullable()
          .describe('`named`: tasks name it; `story`: it belongs to a user story that has tasks; null: no task'),
        tasks: z.array(z.string()).describe('`T001`, …'),
        stories: z.array(z.string()).describe('`US1`, …'),
      }),
    ),
    stories: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        priority: z.string().nullable(),
        line: z.int().positive(),
        tasks: z.int().nonnegative(),
        ticked: z.int().nonnegative(),
      }),
    ),
    tasks: z.object({ total: z.int().nonnegative(), ticked: z.int().nonnegative() }),
  })
  .meta({ id: 'Coverage' })

/** Of all attempts together, whatever became of them. */
export const featureTotalsSchema = z
  .object({
    attempts: z.int().nonnegative(),
    agent_seconds: z.number().nonnegative().describe('From the first try to the end of each attempt'),
    input_tokens: z.int().nullable().describe('Null when no agent reported any'),
    output_tokens: z.int().nullable(),
    cost_usd: z.number().nullable(),
  })
  .meta({ id: 'FeatureTotals' })
export type FeatureTotals = z.infer<typeof featureTotalsSchema>

export const featureWithWorkflowsSchema = featureSchema.extend({
  workflows: z.array(workflowSchema).describe('Oldest first'),
})
export type FeatureWithWorkflows = z.infer<typeof featureWithWorkflowsSchema>

export const featureDetailSchema = featureWithWorkflowsSchema
  .extend({
    artifacts: z.array(featureArtifactSchema).describe('By path'),
    coverage: coverageSchema,
    totals: featureTotalsSchema,
    budget: budgetSchema,
  })
  .meta({ id: 'FeatureDetail' })
export type FeatureDetail = z.infer<typeof featureDetailSchema>
export const featurePageSchema = pageOf(featureSchema).meta({ id: 'FeaturePage' })
