import type { Migration } from 'kysely/migration'

import { initial } from './0001_initial.ts'
import { audit } from './0003_audit.ts'
import { review } from './0004_review.ts'
import { reviewerNotes } from './0005_hub.ts'
import { queuePauseAndAgents } from './0006_queue_pause_and_agents.ts'
import { eventFeed } from './0007_event_feed.ts'
import { traceparent } from './0008_traceparent.ts'
import { approvals } from './0009_approvals.ts'
import { denials } from './0010_denials.ts'
import { keyScopes } from './0012_key_scopes.ts'
import { budgetsAndActs } from './0013_budgets_and_acts.ts'
import { model } from './0014_model.ts'
import { answerAge } from './0016_answer_age.ts'
import { oneActive } from './0017_one_active.ts'
import { slotsOfAll } from './0018_slots_of_all.ts'
import { SQLITE, type ColumnTypes } from './column-types.ts'

/** Forward only, run at start under a lock. A new one gets the next number and is never edited once released. */
export function migrationsFor(types: ColumnTypes): Record<string, Migration> {
  return {
    '0001_initial': initial(types),
    '0003_audit': audit(types),
    '0004_review': review(types),
    '0005_hub': reviewerNotes(types),
    '0006_queue_pause_and_agents': queuePauseAndAgents(),
    '0007_event_feed': eventFeed,
    '0008_traceparent': traceparent(),
    '0009_approvals': approvals(types),
    '0010_denials': denials(types),
    '0012_key_scopes': keyScopes,
    '0013_budgets_and_acts': budgetsAndActs(types),
    '0014_model': model(),
    '0016_answer_age': answerAge,
    '0017_one_active': oneActive,
    '0018_slots_of_all': slotsOfAll,
  }
}

export const migrations = migrationsFor(SQLITE)
