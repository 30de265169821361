/**
 * How to start an agent, in the manner of the ACP registry's `agent.json`. Data, never code: another agent is
 * another value. Versions tried: claude-agent-acp 0.101.0, codex-acp 2.6.0, gemini-cli 0.61.0,
 * opencode-ai 1.18.33, qwen-code 0.24.4, copilot 1.0.102.
 */
export interface LaunchProfile {
  name: string
  title: string
  program: string
  arguments: readonly string[]
  /** `{home}` stands for the agent's private HOME. */
  env: Readonly<Record<string, string>>
  /** Variables of the hub that this agent gets, where they are set: its model's key and address. */
  pass_env: readonly string[]
  home_files: Readonly<Record<string, string>>
  mode: string | null
  mcp_transport: 'http' | null
  /** How the agent is told of its model; null: only by `pass_env`, and over the network of the machine. */
  model: ModelVariables | null
  /** Null when nobody told. */
  install: string | null
  /** What it takes of the machine's memory, as it was measured or is feared. */
  memory_mb: number
  /** Absolute paths that it needs to see in its sandbox, beside its own package; left out: none. */
  read_only?: readonly string[]
}

/** With these set, the hub stands between agent and model: the agent gets a dummy key and no network. */
export interface ModelVariables {
  key_variable: string
  url_variable: string
  /** Where the model is when `url_variable` is not set. */
  upstream: string
  /** Header that carries the key. */
  header: string
}

/** What any agent with a model needs to reach it through a company's proxy, when it has the network at all. */
export const NETWORK = [
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
]

export const LAUNCH_PROFILES: readonly (LaunchProfile & { install: string })[] = [
  {
    name: 'claude',
    title: 'Claude Code',
    program: 'claude-agent-acp',
    arguments: [],
    env: {
      // Tools of the hub would otherwise be hidden behind a search.
      ENABLE_TOOL_SEARCH: 'false',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_MAX_RETRIES: '2',
      CLAUDE_CONFIG_DIR: '{home}/.claude',
    },
    pass_env: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL', ...NETWORK],
    home_files: {},
    // It starts in a mode in which a model judges its own requests.
    mode: 'default',
    mcp_transport: 'http',
    model: {
      key_variable: 'ANTHROPIC_API_KEY',
      url_variable: 'ANTHROPIC_BASE_URL',
      upstream: 'https://api.anthropic.com',
      header: 'x-api-key',
    },
    install: 'npm install --prefix ./data/agents @agentclientprotocol/claude-agent-acp@0.101.0',
    memory_mb: 315,
  },
  {
    name: 'codex',
    title: 'Codex',
    program: 'codex-acp',
    arguments: [],
    env: { CODEX_HOME: '{home}/.codex' },
    pass_env: ['OPENAI_API_KEY', 'CODEX_API_KEY', 'OPENAI_BASE_URL', ...NETWORK],
    home_files: {},
    mode: 'workspace-write',
    mcp_transport: 'http',
    model: null,
    install: 'npm install --prefix ./data/agents @agentclientprotocol/codex-acp@2.6.0',
    memory_mb: 291,
  },
  {
    name: 'gemini',
    title: 'Gemini CLI',
    program: 'gemini',
    arguments: ['--acp'],
    env: {
      // Without it, tools of the hub are dropped in silence.
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
    },
    pass_env: ['GEMINI_API_KEY', 'GOOGLE_GEMINI_BASE_URL', 'GEMINI_MODEL', ...NETWORK],
    home_files: {
      '.gemini/settings.json': JSON.stringify({
        security: { auth: { selectedType: 'gemini-api-key' } },
        general: { disableAutoUpdate: true, disableUpdateNag: true },
        privacy: { usageStatisticsEnabled: false },
      }),
    },
    mode: null,
    mcp_transport: 'http',
    model: {
      key_variable: 'GEMINI_API_KEY',
      url_variable: 'GOOGLE_GEMINI_BASE_URL',
      upstream: 'https://generativelanguage.googleapis.com',
      header: 'x-goog-api-key',
    },
    install: 'npm install --prefix ./data/agents @google/gemini-cli@0.61.0',
    memory_mb: 313,
  },
  {
    name: 'opencode',
    title: 'OpenCode',
    program: 'opencode',
    arguments: ['acp'],
    env: {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_SHARE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
    },
    pass_env: ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'OPENROUTER_API_KEY', ...NETWORK],
    home_files: {},
    mode: null,
    mcp_transport: 'http',
    model: null,
    install: 'npm install --prefix ./data/agents opencode-ai@1.18.33',
    memory_mb: 665,
  },
  {
    name: 'qwen',
    title: 'Qwen Code',
    program: 'qwen',
    arguments: ['--acp'],
    env: {},
    pass_env: ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL', 'DASHSCOPE_API_KEY', ...NETWORK],
    home_files: {
      '.qwen/settings.json': JSON.stringify({
        tools: { toolSearch: { enabled: false }, approvalMode: 'default' },
        security: { auth: { selectedType: 'openai' } },
        general: { disableAutoUpdate: true },
        privacy: { usageStatisticsEnabled: false },
      }),
    },
    mode: null,
    mcp_transport: 'http',
    model: null,
    install: 'npm install --prefix ./data/agents @qwen-code/qwen-code@0.24.4',
    memory_mb: 489,
  },
  {
    name: 'copilot',
    title: 'GitHub Copilot CLI',
    program: 'copilot',
    arguments: ['--acp', '--stdio', '--no-auto-update', '--disable-builtin-mcps'],
    env: {},
    pass_env: [
      'COPILOT_PROVIDER_BASE_URL',
      'COPILOT_PROVIDER_TYPE',
      'COPILOT_PROVIDER_API_KEY',
      'COPILOT_MODEL',
      'COPILOT_OFFLINE',
      'COPILOT_GITHUB_TOKEN',
      ...NETWORK,
    ],
    home_files: {},
    mode: null,
    mcp_transport: 'http',
    model: null,
    install: 'npm install --prefix ./data/agents @github/copilot@1.0.102',
    memory_mb: 285,
  },
]
