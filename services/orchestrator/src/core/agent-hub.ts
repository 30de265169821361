import type {
  AgentUpdate,
  AttemptId,
  Digest,
  ExchangePage,
  FeatureId,
  HubAgents,
  HubHealth,
  HubWorkspace,
  InvokeRequest,
  InvokeResponse,
  PushedBranch,
  PushFeature,
  RepositoryFeature,
  WorkspacePage,
} from '@orchestrator/contract'

/** The Agent Hub refused or could not be reached; `transient` ones are worth another try. */
export class HubError extends Error {
  override readonly name = 'HubError'
  readonly transient: boolean
  /** As the hub named it; undefined when it could not be reached or is of another family. */
  readonly code: string | undefined
  /** What the hub asked to wait, in milliseconds. */
  readonly retry_after_ms: number | undefined

  constructor(message: string, o: { transient: boolean; code?: string; retry_after_ms?: number; cause?: unknown }) {
    super(message, o.cause === undefined ? undefined : { cause: o.cause })
    this.transient = o.transient
    this.code = o.code
    this.retry_after_ms = o.retry_after_ms
  }
}

export interface InvokeOptions {
  agent: string
  request: InvokeRequest
  /** The same key never runs twice. */
  key: AttemptId
  /** The hub's name for the work, where it took it on before. */
  invocation_id: string | undefined
  /** Events up to this sequence are known already. */
  after: number
  /** W3C trace context that the hub's part belongs to. */
  traceparent: string | undefined
  signal: AbortSignal
  /** The hub took it on: its name for the work, and the agent that does it. */
  onAccepted(invocation: { id: string; agent: string }): Promise<void>
  onUpdate(update: AgentUpdate, sequence: number): void
}

/** The only way to an agent. Every method throws a HubError. */
export interface AgentHub {
  invoke(o: InvokeOptions): Promise<InvokeResponse>
  cancel(invocation_id: string): Promise<void>
  /** For one whose name was never learnt. Answers false when the hub knows none with this key, or has no such way. */
  cancelByKey(key: AttemptId): Promise<boolean>
  getArtifact(digest: Digest): Promise<Uint8Array>
  getWorkspace(name: string): Promise<HubWorkspace>
  listWorkspaces(): Promise<WorkspacePage>
  /** As the repository has it; undefined when it has none of that name, or the hub does not tell. */
  findFeature(workspace: string, feature_id: FeatureId): Promise<RepositoryFeature | undefined>
  push(workspace: string, feature_id: FeatureId, how: PushFeature): Promise<PushedBranch>
  listAgents(): Promise<HubAgents>
  /** Its audit log of one feature, oldest first. */
  listExchanges(feature_id: FeatureId, page: { cursor?: string | undefined; limit: number }): Promise<ExchangePage>
  getHealth(): Promise<HubHealth>
}
