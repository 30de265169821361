import { featureIdSchema } from '@orchestrator/contract'

import type { OpenWorkingCopy } from '../src/core/ports.ts'
import { createWorkspaces } from '../src/workspace/workspaces.ts'
import type { RemoteSettings } from '../src/workspace/remote-url.ts'
import { writeFiles } from './git-fixture.ts'

/** The feature of most tests, and its specification. */
export const LOGIN = featureIdSchema.parse('001-login')
export const SPEC = 'specs/001-login/spec.md'

/** Nothing beyond this machine. */
export const LOCAL: RemoteSettings = { credential_helper: undefined, allow_private: false, proxy: {} }

/** One repository as the default workspace. */
export const workspacesOf = (
  path: string,
  data_dir: string,
  endAgentsIn: (working_copy: string) => Promise<boolean> = async () => false,
) => createWorkspaces({ sources: [{ name: 'default', path }], data_dir, settings: LOCAL, endAgentsIn })

/** Answers the commit of it. */
export async function commitSpec(copy: OpenWorkingCopy, text: string): Promise<string | null> {
  writeFiles(copy.path, { [SPEC]: text })
  return copy.commit(`specify phase_1 attempt 1 for 001-login: ${text}`)
}
