import { DatabaseSync } from 'node:sqlite'

import { findDamage } from './integrity.ts'

/** See `checkBeside`: says what is damaged, if anything is. */
const database = new DatabaseSync(process.argv[2] ?? '', { readOnly: true, timeout: 5000 })
const found = findDamage(database)
database.close()
if (found !== undefined) process.stdout.write(found)
