import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'

import type { Logger } from 'pino'

import { StartupError } from './startup-error.ts'

/** What `main` answers with: everything that runs, behind one `close`. */
export interface RunningService {
  close(): Promise<void>
}

/** Below 5 s, so that whoever waits five sees an end. */
const CLOSE_LIMIT_MS = 4_500
/** Garbage is collected when the heap has grown by this much: by itself it would wait until the heap is some times what lives. */
const HEAP_GROWTH_PERCENT = 50
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The life of a service process. A StartupError is one line on stderr and exit code 1; the first signal, or
 * the end of a parent that holds an IPC channel to it, closes the service once and exits with 0, or with 1
 * when that takes too long; an error that nobody
 * caught is logged, closes the service and exits with 1, and so does `fail`, for a fault that `main` has logged.
 *
 * Written here and not taken from close-with-grace: that ends the process without closing on any second
 * signal, and one Ctrl-C is two of them when npm or a parent passes on what the terminal already sent to
 * the whole group. It also catches SIGSEGV and its like, whose handlers never come to an end.
 */
export function runService(main: (fail: () => void) => Promise<RunningService>, o: { logger?: Logger } = {}): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  let isEnding = false
  const started = Promise.try(main, () => end(1))

  function end(exit_code: number): void {
    if (isEnding) return
    isEnding = true
    setTimeout(() => {
      report(o.logger, `The service did not close within ${CLOSE_LIMIT_MS / 1000} s; it was ended.`)
      process.exit(1)
    }, CLOSE_LIMIT_MS).unref()
    started
      .then((service) => service.close())
      .then(
        () => process.exit(exit_code),
        (error: unknown) => {
          report(o.logger, 'The service did not close cleanly.', error)
          process.exit(1)
        },
      )
  }

  function crash(error: unknown): void {
    report(o.logger, 'An error that nobody handled ends the service.', error)
    end(1)
  }

  for (const signal of SIGNALS) process.on(signal, () => end(0))
  // Whoever started the service over a channel is gone, and nobody else would end it.
  process.on('disconnect', () => end(0))
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  started.catch((error: unknown) => {
    if (error instanceof StartupError) process.stderr.write(`${error.message}\n`)
    else report(o.logger, 'The service could not start.', error)
    process.exit(1)
  })
}

function report(logger: Logger | undefined, sentence: string, error?: unknown): void {
  if (logger !== undefined) logger.fatal({ err: error }, sentence)
  else process.stderr.write(`${sentence}${error === undefined ? '' : ` ${inspect(error)}`}\n`)
}
