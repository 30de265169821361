import { setTimeout } from 'node:timers/promises'

import { announce } from './announce.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { isLogLevel, type LogLevel } from './log-line.ts'
import { findMissing } from './prerequisites.ts'
import type { Reporter } from './reporter.ts'
import { startServices } from './services.ts'
import type { ServiceEnd, SupervisedService } from './supervisor.ts'

export interface UpOptions {
  /** The folder that holds `services/` and `apps/`. */
  root: string
  env: NodeJS.ProcessEnv
  watch: boolean
  verbose: boolean
  report: Reporter
}

/** Services get this long to end themselves and their agents; then all are killed. Ctrl-C ends everything within 5 s. */
const GRACE_MS = 4_500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs everything until somebody ends it, or a service cannot be kept alive. */
export async function up({ root, env, watch, verbose, report }: UpOptions): Promise<ExitCode> {
  const missing = findMissing({ own_hub: !env['AGENT_HUB_URL'] })
  for (const problem of missing) report({ type: 'problem', text: problem })
  if (missing.length > 0) return EXIT.failed

  const asked = Promise.withResolvers<'stopped'>()
  const insisted = Promise.withResolvers<void>()
  let signals = 0
  const onSignal = () => (signals++ === 0 ? asked.resolve('stopped') : insisted.resolve())
  for (const signal of SIGNALS) process.on(signal, onSignal)

  const ending = new AbortController()
  const services = await startServices({ root, env, watch, least: leastLevel(env['LOG_LEVEL'], verbose), report })
  void announce(services, { root, env, report, signal: ending.signal }).catch((error: unknown) =>
    report({ type: 'problem', text: String(error) }),
  )
  const why = await Promise.race([asked.promise, ...services.all.map((service) => service.ended)])

  ending.abort()
  if (why === 'kept_dying') report({ type: 'problem', text: 'A service kept dying, so everything is ended.' })
  if (why === 'stopped') report({ type: 'stopping' })
  await stopAll(services.all, insisted.promise)
  report({ type: 'stopped' })
  for (const signal of SIGNALS) process.off(signal, onSignal)
  return exitCode(why)
}

async function stopAll(services: SupervisedService[], insisted: Promise<void>): Promise<void> {
  const ended = Promise.all(services.map((service) => service.ended))
  for (const service of services) service.stop()
  const patience = new AbortController()
  const lost = setTimeout(GRACE_MS, undefined, { signal: patience.signal }).catch(() => {})
  const how = await Promise.race([ended, insisted.then(() => 'kill' as const), lost.then(() => 'kill' as const)])
  patience.abort()
  if (how !== 'kill') return
  for (const service of services) service.kill()
  await ended
}

function leastLevel(wish: string | undefined, verbose: boolean): LogLevel {
  if (verbose) return 'info'
  return wish !== undefined && isLogLevel(wish) ? wish : 'warn'
}

function exitCode(why: ServiceEnd): ExitCode {
  switch (why) {
    case 'stopped':
      return EXIT.ok
    case 'never_listened':
      return EXIT.failed
    case 'kept_dying':
      return EXIT.gave_up
  }
}
