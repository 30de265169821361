import { closeSync, fsyncSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/**
 * As many copies of the one workflow there is in this file, with all its rows: through the API it would take an hour.
 * No service may be running on it.
 */
export function copyWorkflow(path: string, copies: number): void {
  const database = new DatabaseSync(path)
  database.exec('pragma synchronous = off')
  const columns = (table: string) =>
    database
      .prepare(`pragma table_info(${table})`)
      .all()
      .map((row) => String(row['name']))
  const [{ last = 0 } = {}] = database.prepare('select max(sequence) as last from workflow_history').all()
  const copy = (table: string, changed: Record<string, string>) => {
    const names = columns(table)
    const values = names.map((name) => changed[name] ?? name).join(', ')
    database.exec(`insert into ${table} (${names.join(', ')})
      with recursive copies(n) as (select 1 union all select n + 1 from copies where n < ${copies})
      select ${values} from ${table} cross join copies where ${table}.rowid <= (select max(rowid) from ${table})`)
  }
  const id = (name: string) => `substr(${name}, 1, 24) || printf('%012x', n)`
  /** In the order of all that is told: ten places for each workflow. */
  const place = `${String(last)} + n * 10 + sequence`
  const feature = `printf('%07d-copy', n + 1000)`
  database.exec('begin')
  copy('features', { id: feature, sequence: 'sequence + n' })
  copy('workflows', {
    id: id('id'),
    feature_id: feature,
    attempt_id: id('attempt_id'),
    sequence: place,
  })
  copy('workflow_history', {
    id: id('id'),
    workflow_id: id('workflow_id'),
    attempt_id: id('attempt_id'),
    sequence: place,
  })
  copy('attempts', { id: id('id'), workflow_id: id('workflow_id'), position: 'position + n' })
  database.exec('commit')
  database.close()
  // Else the first service that closes the file waits for all of it.
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}
