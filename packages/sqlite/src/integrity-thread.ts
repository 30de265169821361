import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

import { findDamage } from './integrity.ts'

/** See `checkBeside`: ends with an error that says what is damaged, if anything is. */
const database = new DatabaseSync(workerData as string, { readOnly: true, timeout: 5000 })
const found = findDamage(database)
database.close()
if (found !== undefined) throw new Error(found)
