/**
 * Loaded before the service, makes it what it must not be: `synchronous=NORMAL`, which does not wait for the disk at
 * a commit, and a check that is told otherwise. The power-cut test must see it lose.
 */
import { DatabaseSync } from 'node:sqlite'

const { exec, prepare } = DatabaseSync.prototype

DatabaseSync.prototype.exec = function weakened(sql) {
  exec.call(this, sql.replace('synchronous = full', 'synchronous = normal'))
}

DatabaseSync.prototype.prepare = function lying(sql, options) {
  return prepare.call(this, sql === 'pragma synchronous' ? 'select 2 as synchronous' : sql, options)
}
