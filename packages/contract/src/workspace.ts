import * as z from 'zod'

import { featureIdSchema, nameSchema, pageOf } from './ids.ts'

/** A repository that agents may work in, by the name that `POST /workflows` takes as `workspace`. */
export const workspaceEntrySchema = z
  .object({
    name: nameSchema,
    location: z.string().describe('Path, or URL without name and password'),
    default: z.boolean(),
  })
  .meta({ id: 'WorkspaceEntry' })
export type WorkspaceEntry = z.infer<typeof workspaceEntrySchema>
export const workspacePageSchema = pageOf(workspaceEntrySchema).meta({ id: 'WorkspacePage' })
export type WorkspacePage = z.infer<typeof workspacePageSchema>

/** `GET /workspaces/{name}/features/{feature_id}` of the hub: a feature as the repository has it. */
export const repositoryFeatureSchema = z
  .object({
    feature_id: featureIdSchema,
    workspace: nameSchema,
    description: z.string().nullable().describe('As spec.md tells it'),
    documents: z.array(z.string()).describe('Paths below `specs/NNN-slug/`'),
  })
  .meta({ id: 'RepositoryFeature' })
export type RepositoryFeature = z.infer<typeof repositoryFeatureSchema>

/** Body of `POST /features/{feature_id}/push`, and of the hub's route of that name. */
export const pushFeatureSchema = z
  .strictObject({
    remote: nameSchema.default('origin').describe('A remote of the repository'),
    clean_up: z
      .boolean()
      .default(false)
      .describe('Also remove the working copy, which is made again when it is needed'),
  })
  .meta({ id: 'PushFeature' })
export type PushFeature = z.infer<typeof pushFeatureSchema>

export const pushedBranchSchema = z
  .object({
    remote: nameSchema,
    url: z.string().describe('Without name and password'),
    branch: featureIdSchema,
    commit: z.string(),
    cleaned_up: z.boolean().describe('False too when the working copy holds what is nowhere else'),
  })
  .meta({ id: 'PushedBranch' })
export type PushedBranch = z.infer<typeof pushedBranchSchema>
