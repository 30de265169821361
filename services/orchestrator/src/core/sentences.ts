import type { QueuePause } from './ports.ts'
import type { Budget, Feature, FeatureId, Trigger, WorkflowStatus } from '@orchestrator/contract'

/** What the service says to people, in one place: each a sentence that they can act on. */

export const unknownWorkflow = (id: string) => `There is no workflow ${id}.`

export const unknownFeature = (id: string) =>
  `There is no feature ${id}. Leave feature_id out to begin a new feature, or list them with GET /features.`

export const unknownArtifact = (digest: string) => `There is no artifact ${digest}.`

export const otherScope = (workspace: string, own: readonly string[]) =>
  `Your key is for ${new Intl.ListFormat('en').format(own)} alone, and this would be in ${workspace}: name one of yours as "workspace".`

export const unknownWorkspace = (name: string) =>
  `The Agent Hub has no workspace ${name}. List them with GET /workspaces.`

export const undescribed = (id: FeatureId) =>
  `is required: ${id} is in the repository, but its spec.md does not say what it is about`

export const otherWorkspace = (feature: Feature) =>
  `must be ${feature.workspace}, where ${feature.id} lives, or be left out`

export const featureBusy = (id: FeatureId, active: string) =>
  `${id} has a workflow that has not ended, ${active}. Finish or cancel that one first.`

export const impossible = (status: WorkflowStatus, asked: string, allowed: readonly Trigger[]) =>
  `A workflow that is ${status} cannot take ${asked}${allowed.length === 0 ? '' : `; it can take ${allowed.join(' or ')}`}.`

export const decidedMeanwhile = () => 'Somebody else decided on this workflow a moment before. Load it again.'

export const staleReview = (id: FeatureId) =>
  `What you reviewed of ${id} is no longer the current attempt. Load the workflow again and review what is there now.`

export const unknownQuestion = (id: string) =>
  `The current attempt leaves no question ${id} open. List them with GET /workflows/{id}/questions.`

export const unknownItem = (id: string) =>
  `The current attempt has no checklist item ${id}. List them with GET /workflows/{id}/checklists.`

export const unknownAttempt = (id: string) =>
  `This workflow has no attempt ${id}. List them with GET /workflows/{id}/attempts.`

export const notUnderReview = (status: WorkflowStatus) =>
  `Questions are answered and checklists ticked while a phase waits for its review; this workflow is ${status}.`

export const fourEyes = () =>
  'You created this workflow, so somebody else must approve it. An admin can override this with phase_result.override_reason.'

export const alreadyApproved = () => 'You approved this attempt already. Somebody else is needed now.'

export const overrideOfAdmin = (role: string) =>
  `Only an admin may override what an approval takes; your key has the role ${role}. Leave override_reason out to give your vote.`

export const contradictoryVerdict = (trigger: Trigger) => `contradicts the trigger ${trigger}`

export const draftClosed = () =>
  'A draft with this id was sent with a verdict already, or is of somebody else. Begin a new one.'

export const attemptOfAnother = (id: string) => `must name an attempt of this workflow, which ${id} is not`

export const tooManyDrafts = (max: number) =>
  `would be one draft too many: ${max} are kept for one reviewer and workflow. Send or delete some first`

export const retryOfUnfailed = (status: WorkflowStatus) =>
  `Only a failed workflow can be retried; this one is ${status}.`

export const lostTooOften = () =>
  'This phase broke off again and again, with the service that ran it or by a fault of its own. See the log for why, then retry the workflow.'

export const waitsForSlot = () => 'Waits for a free slot.'

export const waitsForExternal = () => 'Waits for an external system to post agent_complete.'

export const reportedWithoutReason = () =>
  'An external system reported an error without saying which. Ask it, then retry.'

export const cancelled = (actor: string, reason: string | undefined) =>
  reason === undefined ? `Cancelled by ${actor}.` : `Cancelled by ${actor}: ${reason}`

export const stopped = (actor: string, comments: string | undefined) =>
  comments === undefined ? `Stopped in review by ${actor}.` : `Stopped in review by ${actor}: ${comments}`

export const reworksUsedUp = (max: number) =>
  `Sent back once more after ${max} reworks of this phase, which is the limit (MAX_REWORKS). Retry with a clearer description.`

export const tookTooLong = (seconds: number) =>
  `The agent took longer than ${seconds} s, the limit of a phase (PHASE_TIMEOUT_SECONDS). Raise the limit or split the feature, then retry.`

export const takesNoModel = (agent: { name: string; title: string }) =>
  `The agent "${agent.name}" (${agent.title}) has no model to choose. Leave model out, or name another agent.`

const retryIt = 'retry the workflow with POST /workflows/{id}/retry.'

/** Other hubs' words need not end as a sentence does. */
const ended = (words: string) => (/[.!?…]$/.test(words) ? words : `${words}.`)

export const agentFailed = (agent: string, reason: string | null | undefined) =>
  reason
    ? `Agent ${agent} could not do it: ${reason}`
    : `Agent ${agent} could not do it and gave no reason. See the log of the hub, then ${retryIt}`

export const hubRefused = (reason: string) => `${ended(reason)} Once that is settled, ${retryIt}`

export const hubGaveUp = (tries: number, reason: string) =>
  `Gave up after ${tries} tries. ${ended(reason)} Once the hub works again (see its log), ${retryIt}`

export const keyOfAnotherBody = () =>
  'This Idempotency-Key was used before with another body. Use a new key for a new request.'

export const keyInFlight = () =>
  'A request with this Idempotency-Key is being carried out. Send it again in a moment to get its answer.'

export const unknownKey = (id: string) => `There is no key ${id}. List them with GET /keys.`

export const lastAdminKey = () =>
  'This is the last key of an admin of all workspaces: without it nobody could manage keys. Make another one first.'

export const erased = () => 'What was said here was erased.'

export const stillHoldsKey = (name: string) =>
  `must be of somebody who holds no key any more: revoke those of ${name} first`

export const expiresInThePast = () => 'must lie ahead'

export const queuePaused = ({ paused_at, paused_by, reason }: QueuePause) =>
  `The queue is paused since ${paused_at} by ${paused_by}${reason === null ? '' : ` (${reason})`}: nothing is handed out. POST /queue/resume goes on.`

/** A budget without a limit, which null is, is never spent. */
const dollars = (usd: number | null) => `$${Number(usd).toFixed(2)}`

export const budgetSpent = ({ name, spent_usd, limit_usd }: Budget) =>
  `Waits: ${dollars(spent_usd)} of ${dollars(limit_usd)} ${budgetNamed(name)} are spent. It goes on when an admin lifts that (POST /budgets/lift)${name.startsWith('day:') ? ', or tomorrow (UTC)' : ''}.`

const budgetNamed = (name: string) =>
  name.startsWith('day:') ? 'for today (DAILY_BUDGET_USD)' : `for ${name.slice('feature:'.length)} (FEATURE_BUDGET_USD)`

export const dayNearlySpent = ({ spent_usd, limit_usd, state }: Budget) =>
  `${dollars(spent_usd)} of ${dollars(limit_usd)} for today (DAILY_BUDGET_USD) are spent${state === 'paused' ? ': no phase begins until an admin lifts that (POST /budgets/lift), or tomorrow (UTC)' : ''}.`

export const featuresWait = (count: number) =>
  `${count === 1 ? 'A feature has' : `${count} features have`} spent what one may cost (FEATURE_BUDGET_USD), so that phases wait: GET /budgets lists them, POST /budgets/lift goes on.`

export const tooManyRunning = (workspace: string, most: number) =>
  `${workspace} has ${most} workflows that have not ended, which is the limit (MAX_RUNNING_WORKFLOWS_PER_WORKSPACE). Finish or cancel one, or try again later.`

export const needsKey = () => 'This needs a key: send it as "Authorization: Bearer ok_…".'

export const wrongKey = () => 'This key is not known, has expired or was revoked.'

export const tooManyRequests = (per_minute: number, seconds: number) =>
  `This key asked more than ${per_minute} times within a minute (REQUESTS_PER_MINUTE). Go on in ${seconds} s.`

export const tooManyWrongKeys = (seconds: number) =>
  `Too many wrong keys came from this address. Try again in ${seconds} s; a right key is answered at once.`

export const unreadable = (row: string, workflow_id: string, why: string) =>
  `The stored ${row} of workflow ${workflow_id} cannot be read (${why}) and is left alone; all others go on. Correct it, or restore a backup.`

export const moreUnreadable = (count: number) => `${count} more rows cannot be read; the log names them.`
