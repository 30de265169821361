import { runCompiled, sendCompiled } from '@orchestrator/sqlite'
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'

import type { Tables } from './models.ts'

/** Stands for a value in a query that is built before the value is known. */
class Placeholder {
  readonly name: PropertyKey

  constructor(name: PropertyKey) {
    this.name = name
  }
}

/** Runs a prepared query with these values. */
export type Prepared<V, R> = (db: Kysely<Tables>, values: V) => Promise<QueryResult<R>>

/**
 * A query that is built and compiled once and run with new values each time: for SQLite, building it
 * anew takes longer than running it. `value(name)` stands for what the caller will give under that name.
 * The statement's text is the same on every run, so the database keeps it prepared too.
 */
export function prepare<V extends object, R>(build: Build<V, R>): Prepared<V, R> {
  const { query, parametersOf } = compile(build)
  return (db, values) => runCompiled(db, query, parametersOf(values))
}

/** Writes these values; that it failed may be heard of as late as at the commit. */
export type PreparedWrite<V> = (db: Kysely<Tables>, values: V) => Promise<void>

/** The same for a write whose answer tells nothing: on Postgres nobody waits for it but the commit. */
export function prepareWrite<V extends object>(build: Build<V, unknown>): PreparedWrite<V> {
  const { query, parametersOf } = compile(build)
  return (db, values) => sendCompiled(db, query, parametersOf(values))
}

type Build<V, R> = (value: <K extends keyof V>(name: K) => V[K]) => Compilable<R>

function compile<V extends object, R>(build: Build<V, R>) {
  // The builder only passes the placeholder on to the list of parameters, where it is replaced.
  const query: CompiledQuery<R> = build((name) => new Placeholder(name) as never).compile()
  const places = query.parameters
  const parametersOf = (values: V) =>
    places.map((place) => (place instanceof Placeholder ? values[place.name as keyof V] : place))
  return { query, parametersOf }
}
