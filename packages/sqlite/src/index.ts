export { afterCommit, runAfterCommit } from './group-writer.ts'
export { DatabaseError } from './database-error.ts'
export { openDatabase, type Database, type OpenDatabaseOptions } from './database.ts'
export { parseSqliteUrl } from './sqlite-url.ts'
