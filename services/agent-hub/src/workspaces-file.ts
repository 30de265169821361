import { dirname, resolve } from 'node:path'

import { nameSchema } from '@orchestrator/contract'
import { StartupError } from '@orchestrator/server'
import * as z from 'zod'

import { readSettingsFile } from './settings-file.ts'
import { parseRemote } from './workspace/remote-url.ts'
import { openRepository } from './workspace/repository.ts'
import { WorkspaceError } from './workspace/workspace-error.ts'
import type { WorkspaceSource } from './workspace/workspaces.ts'

const entrySchema = z
  .strictObject({
    name: nameSchema.refine((name) => name !== 'default', 'is taken by WORKSPACE: choose another name'),
    path: z.string().min(1).optional(),
    url: z.string().min(1).max(2000).optional(),
  })
  .refine(({ path, url }) => (path === undefined) !== (url === undefined), 'must have either a path or a url')

const FILE = {
  variable: 'WORKSPACES_FILE',
  default_name: 'workspaces.yaml',
  page: 'docs/services/agent-hub.md',
  schema: z.strictObject({
    workspaces: z
      .array(entrySchema)
      .max(1000)
      .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'must not name a workspace twice'),
  }),
}

/**
 * Further repositories, by name: those of `path`, or of `workspaces.yaml` in `folder`. A path is one of the file's own
 * folder. Throws a StartupError for what can be seen to be wrong now; a URL is reached when it is first used.
 */
export async function readWorkspacesFile(path: string | undefined, folder: string): Promise<WorkspaceSource[]> {
  const file = await readSettingsFile(FILE, path, folder)
  if (file === undefined) return []
  const { place, settings } = file
  const sources: WorkspaceSource[] = []
  for (const { name, path = '', url } of settings.workspaces) {
    const whose = `${place}: workspace "${name}"`
    try {
      if (url === undefined) {
        const source = { name, path: resolve(dirname(place), path) }
        await openRepository(source.path, whose)
        sources.push(source)
      } else {
        parseRemote(url)
        sources.push({ name, url })
      }
    } catch (error) {
      if (!(error instanceof WorkspaceError)) throw error
      const message = error.message.startsWith(whose) ? error.message : `${whose}: ${error.message}`
      throw new StartupError(message, { cause: error })
    }
  }
  return sources
}
