import {
  approvalPolicyItemSchema,
  approvalPolicyPageSchema,
  approvalPolicySchema,
  PHASES,
  WORKFLOW_TYPES,
} from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { ApprovalRules } from '../core/approval-rules.ts'
import { rolesFor } from '../core/privileges.ts'
import { askerOf } from './asker.ts'

/** What it takes to approve, by type and phase: read by everybody, set by an admin. */
export function approvalPolicyRoutes(app: Server, { approvals }: { approvals: ApprovalRules }): void {
  const tags = ['approvals']
  const params = z.strictObject({ workflow_type: z.enum(WORKFLOW_TYPES), phase: z.enum(PHASES) })

  app.get(
    '/approval-policies',
    {
      config: { roles: rolesFor('read'), scope: 'shared' },
      schema: {
        tags,
        summary: 'What it takes to approve each phase of each type',
        response: { 200: approvalPolicyPageSchema, ...errorResponses() },
      },
    },
    async () => ({ items: await approvals.list(), next_cursor: null }),
  )

  app.put(
    '/approval-policies/:workflow_type/:phase',
    {
      config: { roles: rolesFor('manage_policies') },
      schema: {
        tags,
        summary: 'Set what it takes to approve this phase; workflows that wait are held to it, too',
        params,
        body: approvalPolicySchema,
        response: { 200: approvalPolicyItemSchema, ...errorResponses('STORAGE_FULL') },
      },
    },
    (request) => {
      const { workflow_type, phase } = request.params
      return approvals.set(workflow_type, phase, request.body, askerOf(request))
    },
  )

  app.delete(
    '/approval-policies/:workflow_type/:phase',
    {
      config: { roles: rolesFor('manage_policies') },
      schema: {
        tags,
        summary: 'Back to the default: one approval, four eyes as FOUR_EYES says',
        params,
        response: { 200: approvalPolicyItemSchema, ...errorResponses() },
      },
    },
    (request) => approvals.reset(request.params.workflow_type, request.params.phase, askerOf(request)),
  )
}
