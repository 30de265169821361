import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

import type { ColumnTypes } from './column-types.ts'

/** Attempts that were refused; the oldest are forgotten. */
export function denials({ counting_key }: ColumnTypes): Migration {
  return {
    async up(db) {
      await sql
        .raw(
          `create table denials (
            sequence ${counting_key},
            actor text,
            key_id text,
            request_id text,
            address text,
            method text not null,
            path text not null,
            code text not null,
            created_at text not null
          )`,
        )
        .execute(db)
    },
  }
}
