import type { LaunchProfile, ModelAccess } from './launch-profile.ts'

const OPENAI: ModelAccess = {
  key_variable: 'OPENAI_API_KEY',
  url_variable: 'OPENAI_BASE_URL',
  upstream: 'https://api.openai.com/v1',
  header: 'authorization',
  scheme: 'Bearer',
  model_variable: 'OPENAI_MODEL',
}

const ANTHROPIC: ModelAccess = {
  key_variable: 'ANTHROPIC_API_KEY',
  url_variable: 'ANTHROPIC_BASE_URL',
  upstream: 'https://api.anthropic.com',
  header: 'x-api-key',
  scheme: null,
  model_variable: 'ANTHROPIC_MODEL',
}

/** One provider of OpenCode and none beside it: some of its own need no key, and would be taken by default. */
const openCode = (provider: string, base_url: string) => ({
  home_files: {
    '.config/opencode/opencode.json': JSON.stringify({
      enabled_providers: [provider],
      provider: { [provider]: { options: { baseURL: base_url } } },
      autoupdate: false,
      share: 'disabled',
      // It has no network; and a refusal would end its turn.
      permission: { webfetch: 'deny', websearch: 'deny', external_directory: 'allow', question: 'deny' },
    }),
  },
  // The one configuration that a file in the repository cannot override.
  env: {
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      model: `${provider}/{model}`,
      small_model: `${provider}/{model}`,
      provider: { [provider]: { models: { '{model}': {} } } },
    }),
  },
})

/**
 * Versions tried: claude-agent-acp 0.101.0, codex-acp 2.6.0, gemini-cli 0.61.0, opencode-ai 1.18.33,
 * qwen-code 0.24.4, copilot 1.0.102.
 */
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
    pass_env: [],
    home_files: {},
    // It starts in a mode in which a model judges its own requests.
    mode: 'default',
    mcp_transport: 'http',
    models: [
      ANTHROPIC,
      { ...ANTHROPIC, key_variable: 'ANTHROPIC_AUTH_TOKEN', header: 'authorization', scheme: 'Bearer' },
      { ...ANTHROPIC, key_variable: 'CLAUDE_CODE_OAUTH_TOKEN', header: 'authorization', scheme: 'Bearer' },
    ],
    network: 'none',
    install: 'npm install --prefix ./data/agents @agentclientprotocol/claude-agent-acp@0.101.0',
    memory_mb: 420,
  },
  {
    name: 'codex',
    title: 'Codex',
    program: 'codex-acp',
    arguments: [],
    env: { CODEX_HOME: '{home}/.codex', NO_BROWSER: '1' },
    pass_env: [],
    home_files: {},
    mode: 'workspace-write',
    sandbox_mode: 'agent-full-access',
    mcp_transport: 'http',
    models: ['OPENAI_API_KEY', 'CODEX_API_KEY'].map((key_variable) => ({
      ...OPENAI,
      key_variable,
      env: { CODEX_CONFIG: JSON.stringify({ model: '{model}' }) },
      home_files: {
        '.codex/config.toml': [
          'model_provider = "hub"',
          '[analytics]',
          'enabled = false',
          '[model_providers.hub]',
          'name = "hub"',
          'base_url = "{model_url}"',
          `env_key = "${key_variable}"`,
          'wire_api = "responses"',
          'request_max_retries = 2',
          'stream_max_retries = 2',
          '',
        ].join('\n'),
      },
    })),
    network: 'none',
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
    pass_env: [],
    home_files: {
      '.gemini/settings.json': JSON.stringify({
        security: { auth: { selectedType: 'gemini-api-key' } },
        general: { disableAutoUpdate: true, disableUpdateNag: true },
        privacy: { usageStatisticsEnabled: false },
      }),
    },
    mode: null,
    mcp_transport: 'http',
    models: [
      {
        key_variable: 'GEMINI_API_KEY',
        url_variable: 'GOOGLE_GEMINI_BASE_URL',
        upstream: 'https://generativelanguage.googleapis.com',
        header: 'x-goog-api-key',
        scheme: null,
        model_variable: 'GEMINI_MODEL',
      },
    ],
    network: 'none',
    // With NO_PROXY set it gives up on the hub's tools in silence.
    heeds_proxy: false,
    install: 'npm install --prefix ./data/agents @google/gemini-cli@0.61.0',
    memory_mb: 370,
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
    pass_env: [],
    home_files: {},
    mode: null,
    mcp_transport: 'http',
    models: [
      { ...ANTHROPIC, ...openCode('anthropic', '{model_url}/v1') },
      { ...OPENAI, ...openCode('openai', '{model_url}') },
      {
        ...OPENAI,
        key_variable: 'OPENROUTER_API_KEY',
        url_variable: null,
        upstream: 'https://openrouter.ai/api/v1',
        model_variable: 'OPENROUTER_MODEL',
        ...openCode('openrouter', '{model_url}'),
      },
    ],
    network: 'none',
    install: 'npm install --prefix ./data/agents opencode-ai@1.18.33',
    memory_mb: 690,
  },
  {
    name: 'qwen',
    title: 'Qwen Code',
    program: 'qwen',
    arguments: ['--acp'],
    env: {},
    pass_env: [],
    home_files: {
      '.qwen/settings.json': JSON.stringify({
        tools: { toolSearch: { enabled: false }, approvalMode: 'default', exclude: ['ask_user_question', 'web_fetch'] },
        security: { auth: { selectedType: 'openai' } },
        general: { disableAutoUpdate: true },
        privacy: { usageStatisticsEnabled: false },
      }),
    },
    // It starts in a mode in which a model judges its own requests.
    mode: 'default',
    mcp_transport: 'http',
    models: [
      OPENAI,
      {
        ...OPENAI,
        key_variable: 'DASHSCOPE_API_KEY',
        url_variable: null,
        upstream: 'https://dashscope.aliyuncs.com/compatible-mode/v1',
        default_model: 'qwen3-coder-plus',
        env: { OPENAI_API_KEY: '{model_key}', OPENAI_BASE_URL: '{model_url}' },
      },
    ],
    network: 'none',
    install: 'npm install --prefix ./data/agents @qwen-code/qwen-code@0.24.4',
    memory_mb: 489,
  },
  {
    name: 'copilot',
    title: 'GitHub Copilot CLI',
    program: 'copilot',
    arguments: ['--acp', '--stdio', '--no-auto-update', '--no-ask-user', '--disable-builtin-mcps'],
    env: { COPILOT_OFFLINE: 'true', COPILOT_PROVIDER_TYPE: 'openai' },
    pass_env: ['COPILOT_PROVIDER_WIRE_API'],
    home_files: {},
    mode: null,
    mcp_transport: 'http',
    models: [
      {
        ...OPENAI,
        key_variable: 'COPILOT_PROVIDER_API_KEY',
        url_variable: 'COPILOT_PROVIDER_BASE_URL',
        model_variable: 'COPILOT_MODEL',
        default_model: 'gpt-5.6-sol',
      },
    ],
    network: 'none',
    install: 'npm install --prefix ./data/agents @github/copilot@1.0.102',
    memory_mb: 405,
  },
]
