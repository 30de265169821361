import { DatabaseError } from './database-error.ts'

const PREFIX = 'sqlite:///'

/**
 * Path of the file that a URL in the seed's form names: `sqlite:///relative`, `sqlite:////absolute`,
 * `sqlite:///:memory:`. Throws a DatabaseError for anything else.
 */
export function parseSqliteUrl(url: string): string {
  const path = url.startsWith(PREFIX) ? url.slice(PREFIX.length) : ''
  if (path === '' || path.endsWith('/')) {
    throw new DatabaseError(
      `"${url}" is not a database URL: write sqlite:///relative/path.db or sqlite:////absolute/path.db`,
    )
  }
  return path
}
