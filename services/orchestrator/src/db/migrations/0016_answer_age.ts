import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Answers that are kept for who asks twice go by their age. */
export const answerAge: Migration = {
  async up(db) {
    await sql.raw(`create index idempotent_answers_by_age on idempotent_answers (created_at)`).execute(db)
  },
}
