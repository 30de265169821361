import { createAgentRegistry } from '../../services/agent-hub/src/acp/index.ts'

const openai = (url: string): NodeJS.ProcessEnv => ({
  OPENAI_API_KEY: 'dummy-key',
  OPENAI_BASE_URL: `${url}/v1`,
  OPENAI_MODEL: 'scripted',
})

/** How the hub is told where each agent's model is; the key is a dummy. */
const MODELS: Record<string, (url: string) => NodeJS.ProcessEnv> = {
  claude: (url) => ({ ANTHROPIC_API_KEY: 'dummy-key', ANTHROPIC_BASE_URL: url }),
  codex: openai,
  gemini: (url) => ({ GEMINI_API_KEY: 'dummy-key', GOOGLE_GEMINI_BASE_URL: url }),
  opencode: openai,
  qwen: openai,
  copilot: (url) => ({
    COPILOT_PROVIDER_API_KEY: 'dummy-key',
    COPILOT_PROVIDER_BASE_URL: `${url}/v1`,
    COPILOT_MODEL: 'scripted',
  }),
}

export const modelEnvironment = (name: string, url: string): NodeJS.ProcessEnv => MODELS[name]?.(url) ?? {}

/** Agents that write files by their shell: their tool calls name no paths. */
const BY_SHELL = new Set(['codex', 'copilot'])

/** Agents that may have forgotten the conversation after a restart: gemini writes it down a minute later. */
const MAY_FORGET = new Set(['gemini'])

/** The agents that `npm run test:agents NAME…` named; unset: all that a model can be scripted for. */
const NAMED = process.env['TEST_AGENTS']?.split(',') ?? Object.keys(MODELS)

/** Ways to every model, so that an agent is lacking only when it is not installed, or has no sandbox. */
const everyModel = (): NodeJS.ProcessEnv =>
  Object.assign({}, ...Object.values(MODELS).map((environment) => environment('http://127.0.0.1'))) as NodeJS.ProcessEnv

/** An agent that the scripted model can serve; `title` tells its version, or why it cannot run and what to do. */
export interface Candidate {
  name: string
  available: boolean
  title: string
  writes_by_shell: boolean
  may_forget: boolean
}

export async function listCandidates(): Promise<Candidate[]> {
  const registry = await createAgentRegistry({
    named: undefined,
    env: { PATH: process.env['PATH'], ...everyModel() },
    sandbox: 'auto',
  })
  return registry
    .list()
    .items.filter(({ name }) => NAMED.includes(name))
    .map(({ name, available, version, reason }) => ({
      name,
      available,
      writes_by_shell: BY_SHELL.has(name),
      may_forget: MAY_FORGET.has(name),
      title: `${name} (${available ? `version ${version}` : `${reason} Run: npm run test:agents ${name}`})`,
    }))
}
