import { expect } from 'vitest'

import type { Client } from '@orchestrator/client'
import type { Workflow } from '@orchestrator/contract'

export const APPROVED = { trigger: 'human_approved', phase_result: { approved: true } } as const

/** The workflow once it stands so; with its error in the comparison, so that a test that fails says why. */
export async function settled(
  client: Client,
  id: Workflow['id'],
  status: Workflow['status'],
  phase?: string,
): Promise<Workflow> {
  await expect
    .poll(
      async () => {
        const workflow = await client.getWorkflow(id)
        return [workflow.status, phase && workflow.current_phase, workflow.error]
      },
      { timeout: 60_000 },
    )
    .toEqual([status, phase, null])
  return client.getWorkflow(id)
}

/** Text of one artifact of the latest attempt. */
export async function readArtifact(client: Client, id: Workflow['id'], name: string): Promise<string> {
  const attempts = (await client.listAttempts(id)).items
  const artifact = attempts.at(-1)?.artifacts.find(({ path }) => path.endsWith(`/${name}`))
  return new TextDecoder().decode(await client.getArtifact(artifact!.digest))
}
