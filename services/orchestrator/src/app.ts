import type { WorkflowType } from '@orchestrator/contract'
import {
  createServer,
  isLoopback,
  metricsRoute,
  openTracing,
  StartupError,
  watchEventLoop,
  type Server,
} from '@orchestrator/server'
import { DatabaseError } from '@orchestrator/sqlite'
import type { Logger } from 'pino'

import { approvalPolicyRoutes } from './api/approval-policies.ts'
import { artifactRoutes } from './api/artifacts.ts'
import { budgetRoutes } from './api/budgets.ts'
import { auditRoutes } from './api/audit.ts'
import { createAuthentication } from './api/authenticate.ts'
import { watchDenials } from './api/denials.ts'
import { eventRoutes } from './api/events.ts'
import { featureRoutes } from './api/features.ts'
import { ensureFirstKey } from './api/first-key.ts'
import { healthRoutes } from './api/health.ts'
import { keyRoutes } from './api/keys.ts'
import { pageRoutes } from './api/pages.ts'
import { reviewerNoteRoutes } from './api/reviewer-notes.ts'
import { queueRoutes } from './api/queue.ts'
import { reviewDraftRoutes } from './api/review-drafts.ts'
import { guardScopes } from './api/scope.ts'
import { sessionRoutes } from './api/session.ts'
import { workflowRoutes } from './api/workflows.ts'
import { workspaceRoutes } from './api/workspaces.ts'
import { AgentHubClient } from './clients/agent-hub.ts'
import type { Config } from './config.ts'
import { createFeatureFinder } from './core/adopt-feature.ts'
import { ApprovalRules } from './core/approval-rules.ts'
import { Budgets } from './core/budgets.ts'
import { Cancellations } from './core/cancellations.ts'
import { Checkpointer } from './core/checkpointer.ts'
import { createModelCheck } from './core/chosen-model.ts'
import { systemClock } from './core/clock.ts'
import { Denials } from './core/denials.ts'
import { EventFeed } from './core/event-feed.ts'
import { createHighestNumber } from './core/feature-numbers.ts'
import { GuessLimit } from './core/guess-limit.ts'
import { KeyWatch } from './core/key-watch.ts'
import { Keys } from './core/keys.ts'
import { PhaseExecutor } from './core/phase-executor.ts'
import type { AgentHub } from './core/agent-hub.ts'
import type { Clock } from './core/ports.ts'
import { rolesFor } from './core/privileges.ts'
import { Quarantine, readThrough, UnreadableRowError } from './core/quarantine.ts'
import { QueueSwitch } from './core/queue-switch.ts'
import { Retention } from './core/retention.ts'
import { ReviewDrafts } from './core/review-drafts.ts'
import { RequestQuota } from './core/request-quota.ts'
import { Scopes } from './core/scope.ts'
import * as sentences from './core/sentences.ts'
import { createHealthCheck } from './core/service-health.ts'
import { ReviewerNotes } from './core/reviewer-notes.ts'
import { WorkflowStateMachine } from './core/state-machine.ts'
import { createActs } from './db/act-store.ts'
import { createApprovalStore } from './db/approval-store.ts'
import { createAuditStore } from './db/audit-store.ts'
import { createBudgetStore } from './db/budget-store.ts'
import { openCheckpoints } from './db/checkpoint-file.ts'
import { createDenialStore } from './db/denial-store.ts'
import { createErasureStore } from './db/erasure-store.ts'
import { createFeatureStore } from './db/feature-store.ts'
import { createKeyStore } from './db/key-store.ts'
import { createNoteStore } from './db/note-store.ts'
import { openQueue } from './db/queue.ts'
import { createReviewDraftStore } from './db/review-draft-store.ts'
import { createScopeStore } from './db/scope-store.ts'
import { openSession } from './db/session.ts'
import { createStore } from './db/store.ts'
import { diffText } from './documents/diff-text.ts'
import { createRenderer } from './documents/rendered-artifacts.ts'
import { createServiceMetrics, createTelemetry, noteBatch } from './telemetry.ts'
import { listTroubles } from './troubles.ts'

export interface AppOptions {
  config: Config
  logger: Logger
  version: string
  /** Folder of the built dashboard. */
  dashboard: string
  /** The disk failed: nothing may be written any more. */
  onFatal: (error: unknown) => void
  /** The system's, unless a test or a simulation drives it. */
  clock?: Clock
  /** In [0, 1), as `Math.random`. */
  random?: () => number
  /** In place of the one that `AGENT_HUB_URL` names. */
  hub?: AgentHub & { close(): Promise<void> }
}

export interface App {
  server: Server
  /** The first admin key, when this start had to make one: to be shown once. */
  first_key: string | undefined
  /** Begins to run phases. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Transient faults of the hub: the longest wait between two tries. */
const BACKOFF_CAP_MS = 60_000
/** What a replica that died left to be told to the hub is found by the others. */
const CANCELLATIONS_EVERY_MS = 60_000

/** The only place where the parts are joined. Throws a StartupError. */
export async function createApp({
  config,
  logger,
  version,
  dashboard,
  onFatal,
  clock = systemClock,
  random = Math.random,
  hub = new AgentHubClient({ url: config.agent_hub_url, token: config.agent_hub_token }),
}: AppOptions): Promise<App> {
  const quarantine = new Quarantine((error) => logger.error({ err: error }, 'a stored row cannot be read'))
  const onError = (error: unknown) => {
    if (error instanceof UnreadableRowError) quarantine.note(error)
    else logger.error({ err: error }, 'background work failed and is tried again')
  }
  const tracing = await openTracing({ service: 'orchestrator', version, endpoint: config.otlp_endpoint })
  const event_loop = watchEventLoop()
  const metrics = createServiceMetrics({
    event_loop,
    describeQueue: () => queue_switch.describe(),
    describeReviews: () => store.describeReviews(),
    listBudgets: () => budgets.list(),
    countStreams: () => server.open_streams.size,
    now: () => clock.now(),
  })
  const telemetry = createTelemetry({ metrics, tracing, logger })
  const session = await openSession({
    url: config.database_url,
    onFatal,
    onError,
    onBatch: (size) => noteBatch(metrics, size),
  }).catch((error: unknown) => {
    throw error instanceof DatabaseError ? new StartupError(error.message, { cause: error }) : error
  })
  const store = createStore(session, (error) => quarantine.note(error))
  const acts = createActs(session, () => checkpointer?.wake())
  const { queue, close: closeQueue } = await openQueue({
    session,
    store,
    clock,
    onError,
    onRefused: (attempt_id) =>
      logger.warn({ attempt_id }, 'a late outcome was refused: the attempt is no longer held here'),
  })
  const cancellations = new Cancellations({ store, hub, clock, onError })
  const isExternal = config.phase_execution === 'external'
  const agentFor = (type: WorkflowType) => config.agents[type] ?? 'default'
  const now = () => clock.now()
  const approvals = new ApprovalRules({ store: createApprovalStore(session, acts), four_eyes: config.four_eyes, now })
  const budgets = new Budgets({
    store,
    budgets: createBudgetStore(session),
    queue,
    clock,
    feature_usd: config.feature_budget_usd,
    daily_usd: config.daily_budget_usd,
    onError,
  })
  const machine = new WorkflowStateMachine({
    store,
    approvals,
    queue,
    clock,
    max_reworks: config.max_reworks,
    max_running_per_workspace: config.max_running_workflows_per_workspace,
    phase_execution: config.phase_execution,
    agentFor,
    checkModel: isExternal ? async () => {} : createModelCheck(hub, agentFor),
    findInRepository: isExternal ? async () => undefined : createFeatureFinder(hub),
    telemetry,
    highestNumber: isExternal ? async () => 0 : createHighestNumber(hub, clock),
    onCancellation: () => cancellations.wake(),
  })
  const executor = new PhaseExecutor({
    store,
    attempts: machine.attempts,
    hub,
    clock,
    random,
    telemetry,
    findHold: (attempt_id) => budgets.findHold(attempt_id),
    backoff: { max_tries: config.phase_retry_limit, base_ms: config.phase_retry_base_ms, cap_ms: BACKOFF_CAP_MS },
    phase_timeout_seconds: config.phase_timeout_seconds,
    agentFor,
    modelFor: (type) => config.models[type],
  })
  const feed = new EventFeed(store, clock, onError)
  const retention = new Retention({ store, clock, days: config.event_retention_days, onError })
  const audit = createAuditStore(session.read, session.shared?.sequence.horizon)
  const checkpointer = await openCheckpointer(
    config.audit_dir,
    (signing) => new Checkpointer({ ...signing, store: audit, now, onError }),
  )
  if (checkpointer !== undefined) store.onEvents(() => checkpointer.wake())
  const key_store = createKeyStore(session, acts)
  const keys = new Keys(key_store, now)
  const key_watch = new KeyWatch((ids) => key_store.listGood(ids, now().toISOString()), onError)
  const isOpen = isLoopback(config.host)
  const first_key = isOpen ? undefined : await ensureFirstKey(keys, config.host)
  const quota = new RequestQuota(config.requests_per_minute, now)
  const denial_store = createDenialStore(session)
  const denials = new Denials(denial_store, onError)
  const authentication = createAuthentication({ keys, guesses: new GuessLimit(now), quota, is_open: isOpen })

  const { max_concurrent_phases: slots, max_concurrent_phases_per_agent: slots_per_agent } = config
  const queue_switch = new QueueSwitch({ store, queue, clock, slots, slots_per_agent })
  const server = await createServer({
    name: 'orchestrator',
    title: 'Orchestrator',
    version,
    description: 'Runs GitHub Spec Kit workflows with coding agents, behind human approval.',
    logger,
    allowed_hosts: config.allowed_hosts,
    host: config.host,
    port: config.port,
    trust_proxy: config.trust_proxy,
    authenticate: authentication.authenticate,
    roles_required: true,
    tracing,
    streams: { max: config.max_event_streams, max_per_key: config.max_event_streams_per_key },
  })
  watchDenials(server, denials, now)
  server.addHook('onError', async (_request, _reply, error) => {
    if (error instanceof UnreadableRowError) quarantine.note(error)
  })
  const scopes = new Scopes(createScopeStore(session))
  guardScopes(server, scopes)
  workflowRoutes(server, { store, machine, approvals, diffText })
  reviewerNoteRoutes(server, { notes: new ReviewerNotes({ store, notes: createNoteStore(session), clock }) })
  workspaceRoutes(server, { hub, store })
  reviewDraftRoutes(server, {
    drafts: new ReviewDrafts({ store: createReviewDraftStore(session), workflows: store, now }),
  })
  featureRoutes(server, { store, features: createFeatureStore(session), budgets })
  budgetRoutes(server, { budgets })
  artifactRoutes(server, { store, renderer: createRenderer() })
  eventRoutes(server, { store, feed, key_watch, scopes })
  const checkHealth = createHealthCheck({
    store,
    hub: isExternal ? undefined : hub,
    troubles: [
      ...listTroubles({ database_url: config.database_url, queue, budgets, event_loop }),
      () => quarantine.review(store),
    ],
    clock,
    version,
    started_at: clock.now(),
  })
  healthRoutes(server, { hub, checkHealth })
  sessionRoutes(server, authentication)
  queueRoutes(server, { queue_switch })
  metricsRoute(server, metrics, { roles: rolesFor('read') })
  keyRoutes(server, { keys, onChange: () => approvals.forget() })
  approvalPolicyRoutes(server, { approvals })
  auditRoutes(server, { audit, acts, denials: denial_store, erasures: createErasureStore(session, acts), now })
  pageRoutes(server, { version, dashboard })

  let consumer: { stop(): Promise<void> } | undefined
  let upkeep: NodeJS.Timeout | undefined
  const closing = new AbortController()
  let reading: Promise<void> | undefined
  return {
    server,
    first_key,
    async start() {
      retention.start()
      reading = readThrough(store, clock, closing.signal).catch((error: unknown) => {
        if (!closing.signal.aborted) onError(error)
      })
      checkpointer?.wake()
      if (isExternal) {
        await machine.attempts.startQueued()
        return
      }
      cancellations.wake()
      if (session.shared !== undefined) upkeep = setInterval(() => cancellations.wake(), CANCELLATIONS_EVERY_MS)
      consumer = await queue.consume((claim) => executor.run(claim), {
        concurrency: slots,
        concurrency_per_agent: slots_per_agent,
        onDead: (tx, attempt_id) =>
          machine.attempts.fail(tx, attempt_id, sentences.lostTooOften(), true, 'orchestrator'),
      })
    },
    async close() {
      clearInterval(upkeep)
      closing.abort()
      // At the same time: both may wait for somebody else, and together they have 4.5 s.
      await Promise.all([server.close(), consumer?.stop(), cancellations.stop(), retention.stop(), budgets.stop()])
      await reading
      await feed.close()
      await hub.close()
      await closeQueue()
      await Promise.all([checkpointer?.stop(), denials.flush()])
      await session.close()
      event_loop.stop()
      await tracing.close()
    },
  }
}

/** Throws a StartupError when the folder cannot be used: an audit that silently signs nothing would be worse than none. */
async function openCheckpointer(
  folder: string | undefined,
  open: (signing: Awaited<ReturnType<typeof openCheckpoints>>) => Checkpointer,
): Promise<Checkpointer | undefined> {
  if (folder === undefined) return undefined
  try {
    return open(await openCheckpoints(folder))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartupError(`AUDIT_DIR: ${folder} cannot be used for checkpoints of the history: ${reason}`, {
      cause: error,
    })
  }
}
