import { ndJsonStream } from '@agentclientprotocol/sdk'
import { Readable, Writable } from 'node:stream'

import { createDemoAgent } from './agent.ts'

/**
 * The offline demo agent: a program that speaks ACP on its standard streams and needs no network,
 * no model and no key. `DEMO_AGENT_PACE_MS` (default 0) slows it down so that a person can watch;
 * `DEMO_AGENT_DATE` (`YYYY-MM-DD`) stands for today, so that a test can compare.
 */
const pace_ms = Number(process.env['DEMO_AGENT_PACE_MS'] ?? 0)
const date = process.env['DEMO_AGENT_DATE']

const connection = createDemoAgent({
  version: '0.1.0',
  pace_ms: Number.isFinite(pace_ms) && pace_ms > 0 ? Math.min(pace_ms, 10_000) : 0,
  today: () => (date !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(date) ? date : new Date().toISOString().slice(0, 10)),
  feature_directory: process.env['SPECIFY_FEATURE_DIRECTORY'],
}).connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>))

await connection.closed
