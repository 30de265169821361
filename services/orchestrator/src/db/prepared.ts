import { runCompiled } from '@orchestrator/sqlite'
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
export function prepare<V extends object, R>(
  build: (value: <K extends keyof V>(name: K) => V[K]) => Compilable<R>,
): Prepared<V, R> {
  // The builder only passes the placeholder on to the list of parameters, where it is replaced.
  const compiled: CompiledQuery<R> = build((name) => new Placeholder(name) as never).compile()
  const places = compiled.parameters
  return (db, values) => {
    const parameters = places.map((place) => (place instanceof Placeholder ? values[place.name as keyof V] : place))
    return runCompiled(db, compiled, parameters)
  }
}
