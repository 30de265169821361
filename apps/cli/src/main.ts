#!/usr/bin/env node
import { resolve } from 'node:path'

import { run } from './program.ts'

process.exitCode = await run(process.argv.slice(2), resolve(import.meta.dirname, '../../..'))
