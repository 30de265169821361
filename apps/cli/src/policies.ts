import { approvalPolicySchema, type ApprovalPolicyItem, type Phase, type WorkflowType } from '@orchestrator/contract'

import { askService, type Outputs, type ServiceFlags } from './ask-service.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

export interface SetPolicyFlags extends ServiceFlags {
  minimum: string
  roles?: string
  fourEyes: 'auto' | 'on' | 'off'
}

export function listPolicies(flags: ServiceFlags, outputs: Outputs): Promise<ExitCode> {
  return askService(
    flags,
    outputs,
    (client) => client.listApprovalPolicies(),
    ({ items }) => items.map(textOf).join(''),
  )
}

/** One phase's policy, whole: what is not said is as by default. */
export function setPolicy(
  type: WorkflowType,
  phase: Phase,
  { minimum, roles = '', fourEyes, ...flags }: SetPolicyFlags,
  outputs: Outputs,
): Promise<ExitCode> {
  const body = approvalPolicySchema.safeParse({
    minimum_approvals: /^\d+$/.test(minimum) ? Number(minimum) : minimum,
    required_roles: roles.split(',').filter((role) => role !== ''),
    four_eyes: fourEyes === 'auto' ? null : fourEyes === 'on',
  })
  if (!body.success) {
    for (const { path, message } of body.error.issues) outputs.error.write(`${path.join('.')}: ${message}\n`)
    return Promise.resolve(EXIT.usage)
  }
  return askService(flags, outputs, (client) => client.setApprovalPolicy(type, phase, body.data), textOf)
}

export function resetPolicy(
  type: WorkflowType,
  phase: Phase,
  flags: ServiceFlags,
  outputs: Outputs,
): Promise<ExitCode> {
  return askService(flags, outputs, (client) => client.resetApprovalPolicy(type, phase), textOf)
}

function textOf(policy: ApprovalPolicyItem): string {
  const { workflow_type, phase, minimum_approvals, required_roles, four_eyes, updated_by } = policy
  const parts = [
    `${workflow_type} ${phase}`.padEnd(18),
    `${minimum_approvals} ${minimum_approvals === 1 ? 'approval' : 'approvals'}`,
    required_roles.length > 0 && `by ${required_roles.join(' and ')}`,
    `four eyes ${four_eyes === null ? 'as FOUR_EYES says' : four_eyes ? 'on' : 'off'}`,
    updated_by !== null && `set by ${updated_by}`,
  ]
  return `${parts.filter((part) => part !== false).join(', ')}\n`
}
