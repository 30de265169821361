import type { ApprovalPolicyItem, ApprovingRole } from '@orchestrator/contract'
import { sql } from 'kysely'

import type { ApprovalStore } from '../core/approval-rules.ts'
import type { Acts } from './act-store.ts'
import type { Session } from './session.ts'

export function createApprovalStore({ read, write }: Session, acts: Pick<Acts, 'append'>): ApprovalStore {
  return {
    async listPolicies() {
      const rows = await read.selectFrom('approval_policies').selectAll().execute()
      return rows.map(({ required_roles, four_eyes, ...row }): ApprovalPolicyItem => ({
        ...row,
        required_roles: JSON.parse(required_roles) as ApprovingRole[],
        four_eyes: four_eyes === null ? null : four_eyes === 1,
      }))
    },

    async savePolicy({ required_roles, four_eyes, ...policy }, act) {
      const row = {
        ...policy,
        required_roles: JSON.stringify(required_roles),
        four_eyes: four_eyes === null ? null : Number(four_eyes),
      }
      await write(async (tx) => {
        await tx
          .insertInto('approval_policies')
          .values(row)
          .onConflict((conflict) => conflict.columns(['workflow_type', 'phase']).doUpdateSet(row))
          .execute()
        await acts.append(tx, act)
      })
    },

    async deletePolicy(workflow_type, phase, act) {
      await write(async (tx) => {
        await tx
          .deleteFrom('approval_policies')
          .where('workflow_type', '=', workflow_type)
          .where('phase', '=', phase)
          .execute()
        await acts.append(tx, act)
      })
    },

    async countApprovers(now) {
      const row = await read
        .selectFrom('keys')
        .select(sql<number>`count(distinct name)`.as('people'))
        .where('role', 'in', ['reviewer', 'admin'])
        .where('revoked_at', 'is', null)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
        .executeTakeFirstOrThrow()
      return row.people
    },

    listVotes: (attempt_ids) =>
      read
        .selectFrom('votes')
        .select(['attempt_id', 'actor', 'role', 'created_at'])
        .where('attempt_id', 'in', attempt_ids)
        .orderBy('created_at')
        .orderBy('actor')
        .execute(),
  }
}
