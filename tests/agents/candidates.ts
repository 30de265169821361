import { createAgentRegistry } from '../../services/agent-hub/src/acp/index.ts'

/** How each agent is told where its model is; the key is a dummy. */
const MODELS: Record<string, (url: string) => NodeJS.ProcessEnv> = {
  gemini: (url) => ({ GEMINI_API_KEY: 'dummy-key', GOOGLE_GEMINI_BASE_URL: url }),
  claude: (url) => ({ ANTHROPIC_API_KEY: 'dummy-key', ANTHROPIC_BASE_URL: url }),
}

export const modelEnvironment = (name: string, url: string): NodeJS.ProcessEnv => MODELS[name]?.(url) ?? {}

/** An agent that the scripted model can serve; `title` tells its version, or why it cannot run and what to do. */
export interface Candidate {
  name: string
  available: boolean
  title: string
}

export async function listCandidates(): Promise<Candidate[]> {
  const registry = await createAgentRegistry({ named: undefined, env: process.env, sandbox: 'auto' })
  return registry
    .list()
    .items.filter(({ name }) => name in MODELS)
    .map(({ name, available, version, reason }) => ({
      name,
      available,
      title: `${name} (${available ? `version ${version}` : `${reason} Run: npm run test:agents ${name}`})`,
    }))
}
