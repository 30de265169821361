import type { ScopeStore } from '../core/scope.ts'
import type { Session } from './session.ts'

export function createScopeStore({ read }: Session): ScopeStore {
  return {
    async findWorkspaceOf(what) {
      const row =
        'workflow' in what
          ? await read.selectFrom('workflows').select('workspace').where('id', '=', what.workflow).executeTakeFirst()
          : await read.selectFrom('features').select('workspace').where('id', '=', what.feature).executeTakeFirst()
      return row?.workspace
    },

    async hasArtifact(digest, workspaces) {
      const row = await read
        .selectFrom('attempt_artifacts as aa')
        .innerJoin('attempts as a', 'a.id', 'aa.attempt_id')
        .innerJoin('workflows as w', 'w.id', 'a.workflow_id')
        .select('w.id')
        .where('aa.digest', '=', digest)
        .where('w.workspace', 'in', workspaces)
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },
  }
}
