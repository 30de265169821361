import {
  PHASES,
  WORKFLOW_TYPES,
  type ApprovalPolicy,
  type ApprovalPolicyItem,
  type AttemptId,
  type Phase,
  type Workflow,
  type WorkflowType,
} from '@orchestrator/contract'

import type { Act } from './acts.ts'
import { approvalsOf, isPlain, type Requirement, type Vote } from './approvals.ts'
import type { Origin } from './origin.ts'
import { positionOf } from './workflow-steps.ts'

export interface ApprovalStore {
  listPolicies(): Promise<ApprovalPolicyItem[]>
  savePolicy(policy: ApprovalPolicyItem, act: Act): Promise<void>
  deletePolicy(workflow_type: WorkflowType, phase: Phase, act: Act): Promise<void>
  /** People who hold a good key that approves. */
  countApprovers(now: string): Promise<number>
  listVotes(attempt_ids: readonly AttemptId[]): Promise<(Vote & { attempt_id: AttemptId })[]>
}

/** `auto`: on as soon as a second person could approve. */
export const FOUR_EYES = ['auto', 'on', 'off'] as const

export interface ApprovalRulesOptions {
  store: ApprovalStore
  four_eyes: (typeof FOUR_EYES)[number]
  now: () => Date
}

/** How long a replica may go by what another has changed since. */
const FRESH_MS = 1000
const DEFAULT: ApprovalPolicy = { minimum_approvals: 1, required_roles: [], four_eyes: null }

/** What holds at one moment. */
export interface Rules {
  for(workflow_type: WorkflowType, phase: Phase): Requirement
}

/** What it takes to approve, by type and phase; read from the store at most once a second. */
export class ApprovalRules {
  readonly #o: ApprovalRulesOptions
  #rules: Promise<Rules> | undefined
  #read_ms = 0

  constructor(o: ApprovalRulesOptions) {
    this.#o = o
  }

  /** Does not ask the store while it was asked a moment before. */
  current(): Promise<Rules> {
    const now_ms = this.#o.now().getTime()
    if (this.#rules === undefined || Math.abs(now_ms - this.#read_ms) > FRESH_MS) {
      this.#read_ms = now_ms
      this.#rules = this.#read()
      // A store that failed is asked again.
      this.#rules.catch(() => this.forget())
    }
    return this.#rules
  }

  /** Something was changed here: it holds at once. */
  forget(): void {
    this.#rules = undefined
  }

  /** Of every type and phase, set or not. */
  async list(): Promise<ApprovalPolicyItem[]> {
    const set = await this.#o.store.listPolicies()
    return WORKFLOW_TYPES.flatMap((workflow_type) =>
      PHASES.map(
        (phase) =>
          set.find((one) => one.workflow_type === workflow_type && one.phase === phase) ?? {
            workflow_type,
            phase,
            ...DEFAULT,
            updated_at: null,
            updated_by: null,
          },
      ),
    )
  }

  async set(
    workflow_type: WorkflowType,
    phase: Phase,
    policy: ApprovalPolicy,
    by: Origin,
  ): Promise<ApprovalPolicyItem> {
    const created_at = this.#o.now().toISOString()
    const item = { workflow_type, phase, ...policy, updated_at: created_at, updated_by: by.name }
    const subject = `${workflow_type}/${phase}`
    await this.#o.store.savePolicy(item, { by, action: 'policy.set', subject, details: { ...policy }, created_at })
    this.forget()
    return item
  }

  async reset(workflow_type: WorkflowType, phase: Phase, by: Origin): Promise<ApprovalPolicyItem> {
    const created_at = this.#o.now().toISOString()
    const subject = `${workflow_type}/${phase}`
    const act: Act = { by, action: 'policy.reset', subject, details: {}, created_at }
    await this.#o.store.deletePolicy(workflow_type, phase, act)
    this.forget()
    return { workflow_type, phase, ...DEFAULT, updated_at: null, updated_by: null }
  }

  /** The same workflows; those that wait say who approved and who is still needed. */
  async show(workflows: readonly Workflow[]): Promise<Workflow[]> {
    if (!workflows.some(({ status }) => status === 'waiting_approval')) return [...workflows]
    const rules = await this.current()
    const requirementOf = (workflow: Workflow) => rules.for(workflow.workflow_type, positionOf(workflow).phase)
    const counted = workflows.flatMap((workflow) =>
      workflow.status === 'waiting_approval' && workflow.attempt !== null && !isPlain(requirementOf(workflow))
        ? [workflow.attempt.id]
        : [],
    )
    const votes = counted.length === 0 ? [] : await this.#o.store.listVotes(counted)
    const votesOf = Map.groupBy(votes, ({ attempt_id }) => attempt_id)
    return workflows.map((workflow) => {
      if (workflow.status !== 'waiting_approval' || workflow.attempt === null) return workflow
      return { ...workflow, approvals: approvalsOf(requirementOf(workflow), votesOf.get(workflow.attempt.id) ?? []) }
    })
  }

  async #read(): Promise<Rules> {
    const { store, four_eyes, now } = this.#o
    const [policies, approvers] = await Promise.all([
      store.listPolicies(),
      four_eyes === 'auto' ? store.countApprovers(now().toISOString()) : 0,
    ])
    const by_default = four_eyes === 'on' || (four_eyes === 'auto' && approvers > 1)
    return {
      for(workflow_type, phase) {
        const policy = policies.find((one) => one.workflow_type === workflow_type && one.phase === phase) ?? DEFAULT
        return {
          minimum_approvals: policy.minimum_approvals,
          required_roles: policy.required_roles,
          four_eyes: policy.four_eyes ?? by_default,
          spares_local: policy.four_eyes === null && four_eyes === 'auto',
        }
      },
    }
  }
}
