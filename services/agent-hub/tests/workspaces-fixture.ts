import { createWorkspaces } from '../src/workspace/workspaces.ts'
import type { RemoteSettings } from '../src/workspace/remote-url.ts'

/** Nothing beyond this machine. */
export const LOCAL: RemoteSettings = { credential_helper: undefined, allow_private: false, proxy: {} }

/** One repository as the default workspace. */
export const workspacesOf = (path: string, data_dir: string) =>
  createWorkspaces({ sources: [{ name: 'default', path }], data_dir, settings: LOCAL })
