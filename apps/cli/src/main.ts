#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')
// Before anything else is loaded, so that it is of use for all of it.
enableCompileCache(join(root, 'node_modules/.cache/compiled'))
const { run } = await import('./program.ts')

process.exitCode = await run(process.argv.slice(2), root)
