/**
 * How to start an agent, in the manner of the ACP registry's `agent.json`. Data, never code: another agent is
 * another value. In values of `env` and contents of `home_files` these stand for what is known at the start of the
 * agent, and a value or file that names one of which nothing is known is left out:
 * `{home}` its private HOME · `{model_url}` where it finds its model · `{model}` the model that somebody chose ·
 * `{model_key}` (in `env` only) the key it holds, a dummy in the sandbox.
 */
export interface LaunchProfile {
  name: string
  title: string
  program: string
  arguments: readonly string[]
  env: Readonly<Record<string, string>>
  /** Variables of the hub that this agent gets, where they are set. Never a key of a model. */
  pass_env: readonly string[]
  home_files: Readonly<Record<string, string>>
  /** ACP session mode to set. */
  mode: string | null
  /** The same, where the sandbox holds everything and walls of its own cannot stand within; left out: `mode`. */
  sandbox_mode?: string
  mcp_transport: 'http' | null
  /** Ways to its model: the first whose key the hub holds is taken. Empty: it needs none of the hub. */
  models: readonly ModelAccess[]
  /** `machine`: in its sandbox it is on the network of the machine, because somebody said so. */
  network: 'none' | 'machine'
  /** `false`: it fails where variables name a proxy, so that the hub counts its attempts, but does not learn addresses. */
  heeds_proxy?: false
  /** Null when nobody told. */
  install: string | null
  /** What it takes of the machine's memory, as it was measured or is feared. */
  memory_mb: number
  /** Absolute paths that it needs to see in its sandbox, beside its own package; left out: none. */
  read_only?: readonly string[]
}

/**
 * The hub stands between agent and model: it alone holds the key. Variables have the same name for the hub, which
 * reads them from its own environment, and for the agent, which gets the dummy, the gateway and the chosen model.
 */
export interface ModelAccess {
  key_variable: string
  /** Names another address than `upstream`; null: there is no such variable. */
  url_variable: string | null
  /** Base URL to which the agent's paths are appended. */
  upstream: string
  /** Header that carries the key, and the word before it (RFC 9110, 11.4), such as `Bearer`. */
  header: string
  scheme: string | null
  /** Names the model; null: it cannot be chosen. */
  model_variable: string | null
  /** Taken where nobody chose a model; left out: the agent's own default. */
  default_model?: string
  /** What this way needs beyond the profile's own. */
  env?: Readonly<Record<string, string>>
  home_files?: Readonly<Record<string, string>>
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
