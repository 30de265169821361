import * as z from 'zod'

import { APPROVING_ROLES } from './approval.ts'
import { pageOf, timestampSchema } from './ids.ts'
import { PHASES, WORKFLOW_TYPES } from './workflow.ts'

/** Body of `PUT /approval-policies/{workflow_type}/{phase}`: what it takes to approve that phase. */
export const approvalPolicySchema = z
  .strictObject({
    minimum_approvals: z.int().min(1).max(10).describe('So many different people'),
    required_roles: z
      .array(z.enum(APPROVING_ROLES))
      .max(APPROVING_ROLES.length)
      .refine((roles) => new Set(roles).size === roles.length, 'must not name a role twice')
      .describe('Somebody of each of these roles must be among them'),
    four_eyes: z
      .boolean()
      .nullable()
      .describe('Who created the workflow may not approve it; null leaves it to the setting FOUR_EYES'),
  })
  .meta({ id: 'SetApprovalPolicy' })
export type ApprovalPolicy = z.infer<typeof approvalPolicySchema>

/** A policy with where it holds; `updated_at` is null where nobody set one. */
export const approvalPolicyItemSchema = z
  .object({
    workflow_type: z.enum(WORKFLOW_TYPES),
    phase: z.enum(PHASES),
    ...approvalPolicySchema.shape,
    updated_at: timestampSchema.nullable(),
    updated_by: z.string().nullable(),
  })
  .meta({ id: 'ApprovalPolicy' })
export type ApprovalPolicyItem = z.infer<typeof approvalPolicyItemSchema>
export const approvalPolicyPageSchema = pageOf(approvalPolicyItemSchema).meta({ id: 'ApprovalPolicyPage' })
