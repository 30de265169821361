import type {
  AgentUpdate,
  Check,
  FeatureId,
  HubAgents,
  HubWorkspace,
  InvocationStatus,
  InvokeRequest,
  JsonObject,
  PushedBranch,
  PushFeature,
  Usage,
  WorkspaceEntry,
} from '@orchestrator/contract'

/** A program that speaks ACP, and how to start it. Data, never code: adding an agent adds a value. */
export interface AgentProfile {
  name: string
  title: string
  /** Program and arguments; the program is an absolute path once found. */
  command: readonly [string, ...string[]]
  env: Readonly<Record<string, string>>
  /** Files to lay into the agent's HOME before it starts: relative path → content. */
  home_files: Readonly<Record<string, string>>
  /** ACP session mode to set, when the agent needs one. */
  mode: string | null
  /** How it reaches the tools that the hub offers; null: it is offered none, and closes with a fenced block. */
  mcp_transport: 'http' | null
  /** What it is counted for where memory is shared out. */
  memory_mb: number
  install: string | null
  /** Left out for agents of ours, and when the sandbox was switched off by name. */
  sandbox?: AgentSandbox
}

/** The walls around an agent: beside its HOME and the working copy it sees only this of the machine. */
export interface AgentSandbox {
  /** Absolute path of bubblewrap. */
  program: string
  /** Absolute paths, shown read-only: the agent's package and what it runs on. */
  read_only: readonly string[]
  /** `none`: it reaches its model and the hub's tools, each through a socket of the hub, and nothing else. */
  network: 'none' | 'machine'
  /** Left out when it reaches its model by itself, or needs none. */
  model?: ModelEndpoint
}

/** Where an agent's model is, and the key that only the hub holds. */
export interface ModelEndpoint {
  /** Base URL. */
  upstream: string
  /** Added to every request. */
  headers: Readonly<Record<string, string>>
}

/** The agents this hub knows, and which of them can run here. */
export interface AgentRegistry {
  /**
   * `default` stands for the hub's own default; `model` is the one that somebody chose for this work. Throws
   * AGENT_NOT_FOUND, or AGENT_UNAVAILABLE with the remedy.
   */
  getAgent(name: string, model?: string): AgentProfile
  /** As they were found last. */
  list(): HubAgents
  /** Looks again: some are installed while the hub runs, or go. */
  refresh(): Promise<void>
}

/** Own clocks of a turn, in milliseconds: an agent's word is never waited for without end. */
export interface TurnLimits {
  initialize_ms: number
  session_ms: number
  idle_ms: number
  turn_ms: number
  cancel_grace_ms: number
}

export interface AgentTurn {
  agent: AgentProfile
  /** The hub's session: the same one continues the conversation. */
  session_id: string
  /** The agent's own id of that session when it has one; null begins anew. */
  acp_session_id: string | null
  /** Absolute path of the agent's private HOME; kept as long as the session. */
  home: string
  working_copy: string
  /** Added to the allow-list of the environment. */
  env: Readonly<Record<string, string>>
  prompt: string
  /** W3C trace context for the agent; undefined when nobody traces. */
  traceparent?: string | undefined
  signal: AbortSignal
  limits: TurnLimits
  onUpdate: (update: AgentUpdate) => void
  /** Told once, at the end of a turn that was begun. */
  onTraffic?: (traffic: TurnTraffic) => void
  /** Told once the process runs, so that it can be found and ended after a crash of the hub. */
  onProcess: (agent_process: AgentProcess) => void
}

/** A process and when the system started it: a pid alone may by then be somebody else. */
export interface AgentProcess {
  pid: number
  started: string
}

/** What an agent says of its own work. Nothing of it is believed without a look at the files. */
export interface AgentResult {
  summary: string | null
  /** 0 to 100. */
  confidence: number | null
  /** Files that it says it wrote. */
  files: string[]
  open_questions: string[]
  threads: { id: string; fate: 'addressed' | 'declined'; reply: string | null }[]
}

/** What one turn sent through the doors of its sandbox, and what was stopped there. */
export interface TurnTraffic {
  /** To its model, through the hub. */
  model_requests: number
  /** Of them, those that the model's server refused, or that did not reach it. */
  model_refusals: number
  /** Attempts to reach anything else. */
  network_refusals: number
}

export type TurnOutcome =
  | {
      kind: 'ended'
      stop_reason: string
      /** Whole text of the agent's closing message. */
      text: string
      /** What it handed in by the hub's own tool, the last time when more than once; null when it did not. */
      result: AgentResult | null
      acp_session_id: string
      usage: Usage | null
      model: string | null
      /** What the model's server said last where that was a refusal; agents hide it, or end well all the same. */
      model_refusal: string | null
    }
  /** `usage` as far as it was told before. */
  | { kind: 'cancelled'; usage: Usage | null }
  /** `reason` is a sentence a person can act on; `timeout` says that a clock of ours ran out. */
  | { kind: 'failed'; reason: string; timeout: boolean; usage: Usage | null }

export interface AgentDriver {
  /** Never rejects for what an agent does. */
  run(turn: AgentTurn): Promise<TurnOutcome>
  /** Ends agents that a killed hub left behind; those whose start time differs are somebody else's and left alone. Answers how many it ended. */
  endOrphans(processes: readonly AgentProcess[]): Promise<number>
  /** The agent of a session that waits for its next turn, if there is one. */
  findKept(session_id: string): AgentProcess | undefined
  /** Ends it, if there is one. */
  endSession(session_id: string): Promise<void>
  /** Ends those that wait in a working copy. Answers, once they are gone, whether any was still there. */
  endKeptIn(working_copy: string): Promise<boolean>
  /** Ends every process group it started. */
  close(): Promise<void>
}

/** One file that a phase changed, as git tells it. */
export interface ChangedFile {
  path: string
  change: 'added' | 'modified' | 'deleted'
}

/** What git tells of a working copy. */
export interface Look {
  /** What differs from the branch's last commit, untracked files included, sorted. */
  changes: ChangedFile[]
  /** Every file, tracked or new, sorted; ignored ones left out. */
  files: string[]
}

/** A feature's own clone, on the branch of the feature's name. All paths given are relative to it. */
export interface WorkingCopy {
  /** Absolute. */
  readonly path: string
  /** `specs/NNN-slug`. */
  readonly feature_directory: string
  /** Everything as it lies now. */
  look(): Promise<Look>
  /** Content of a file as it is now, or undefined; a link out of the working copy is refused. */
  readFile(path: string): Promise<Uint8Array | undefined>
  /**
   * Files as at the branch's last commit, by path; those that it does not have are left out. Links are followed within
   * that commit.
   */
  readCommitted(paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
}

/** What only the hub itself does with a working copy. */
export interface OpenWorkingCopy extends WorkingCopy {
  /**
   * Throws away what an unfinished run left: back to the branch's last commit, people's commits in the repository taken
   * in. Looks at once, but changes nothing before `agreed`; rejects when that does.
   */
  reset(agreed?: Promise<unknown>): Promise<void>
  /**
   * Ends agents that wait here for their session's next turn, and whatever they left at work. Before files are deleted
   * or written: whoever is still there could put a link in their place at that moment.
   */
  alone(): Promise<void>
  /** Replaces the content of a file that is there; a link that leads out of the working copy is refused. */
  writeFile(path: string, text: string): Promise<void>
  /** Everything as it lies now, committed or not, under a name by which `since` and `restore` know it. */
  snapshot(): Promise<string>
  /** The same files, but `look` and `readCommitted` tell of the snapshot instead of the last commit. */
  since(snapshot: string): WorkingCopy
  /** Reads already what no agent can change, so that the next `look` is a short one. */
  lookAhead(): void
  /**
   * Commits everything on the feature's branch. Answers the commit, or null when nothing had changed; asked again
   * with the same message it answers the commit it made then. Whoever looked just before may say what has changed. The
   * message may be still to come: the files are taken as they lie now, and not at all when it does not come. Where
   * they lay otherwise a moment later, they are taken once more with nobody else there.
   */
  commit(message: string | Promise<string>, known?: Look['changes']): Promise<string | null>
  /**
   * The same files as in the commit that `commit` answered, or as the branch has them where that was null: no agent
   * reaches those, whatever becomes of the files.
   */
  asCommitted(commit: string | null): WorkingCopy
  /** Takes the last commit back, and all that was in it. */
  discard(commit: string | null): Promise<void>
  /** Puts every file back to how it lay at the snapshot; ignored ones are left alone. */
  restore(snapshot: string): Promise<void>
  /**
   * Brings the branch into the repository, with the commit that is still being made when one is given. Answers why, as a
   * sentence for a person, when it could not be moved there.
   */
  publish(commit?: Promise<string | null>): Promise<string | null>
}

/** What a repository has of a feature. */
export interface RepositoryDocuments {
  /** Paths below `specs/NNN-slug/`. */
  documents: string[]
  /** Text of spec.md; null without one. */
  spec: string | null
}

/** Every method with a name throws WORKSPACE_NOT_FOUND, and UNAVAILABLE when its repository cannot be used. */
export interface Workspaces {
  /** The default first. */
  list(): WorkspaceEntry[]
  /** Looks at no repository. */
  assertKnown(name: string): void
  describe(name: string): Promise<HubWorkspace>
  /** On the branch of its name, else in `specs/` of the default branch. */
  findFeature(name: string, feature_id: FeatureId): Promise<RepositoryDocuments | undefined>
  /**
   * The feature's working copy, made when it is not there. Throws VALIDATION_ERROR when the number is
   * already taken by another feature of the repository.
   */
  open(name: string, feature_id: FeatureId): Promise<OpenWorkingCopy>
  /**
   * Removes the working copies whose every commit is in the default branch, or in a branch of the feature's name on a
   * remote, and that hold nothing uncommitted. Those of `kept` features stay in any case. Answers the removed ones;
   * they are made again when they are needed.
   */
  removeSettled(name: string, kept: ReadonlySet<string>): Promise<string[]>
  /**
   * Pushes the feature's branch to a remote of the repository, never by force, and removes its working copy when that
   * was asked and it is settled then. Throws FEATURE_NOT_FOUND, VALIDATION_ERROR, PUSH_FAILED.
   */
  push(name: string, feature_id: FeatureId, how: PushFeature): Promise<PushedBranch>
}

/** What the Spec Kit part needs to see of a finished turn. */
export interface PhaseInput {
  request: InvokeRequest
  working_copy: WorkingCopy
  /** At the end of the turn. */
  look: Look
  /** The agent's closing text. */
  text: string
}

/** A question to an agent; `added` is what a person said since it was first asked. */
export interface QuestionInput {
  topic: string
  question: string
  feature_id: FeatureId
  context?: JsonObject | undefined
  added?: string | undefined
}

export interface SpecKit {
  /** The one text block for the agent. */
  buildPrompt(request: InvokeRequest, working_copy: WorkingCopy): Promise<string>
  /** Deterministic checks of the files after the turn; `pass` rows are told too. */
  checkPhase(input: PhaseInput): Promise<Check[]>
  /** A follow-up prompt that asks the agent to mend the failed checks. */
  buildRepairPrompt(request: InvokeRequest, failed: readonly Check[]): string
  /** Tasks that were appended since what stood there before, and how many are not ticked now. */
  countTasks(working_copy: WorkingCopy): Promise<{ appended: number; open: number }>
  buildQuestionPrompt(question: QuestionInput, working_copy: WorkingCopy): string
  /** A follow-up prompt to an agent that ended its turn without a result. */
  buildResultPrompt(request: InvokeRequest): string
}

/** One invocation at work, as it is watched. */
export interface InvocationWatch {
  readonly traceparent: string | undefined
  ended(status: InvocationStatus): void
}

/** Hears how the work goes: for figures, traces and the log. It must not throw, and nothing waits for it. */
export interface Telemetry {
  begin(invocation: {
    id: string
    agent: string
    feature_id: FeatureId
    workflow_type: string
    workflow_id: string | undefined
    traceparent: string | undefined
  }): InvocationWatch
}

/** What the repository's own command said of the work. */
export type Verification =
  | {
      kind: 'ran'
      /** Null when it was ended: by its time limit, or by a signal. */
      exit_code: number | null
      timed_out: boolean
      duration_ms: number
      /** Last lines of what it wrote. */
      tail: string
    }
  /** `reason` is a sentence a person can act on. */
  | { kind: 'not_run'; reason: string }

/** Runs the command that an operator named for the repository, within the same walls as an agent. */
export interface Verifier {
  readonly command: string
  run(o: {
    /** Absolute. */
    working_copy: string
    signal: AbortSignal
    onProcess: (agent_process: AgentProcess) => void
  }): Promise<Verification>
}
