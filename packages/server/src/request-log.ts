import type { FastifyBaseLogger } from 'fastify'
import type { LogFn } from 'pino'

type Bindings = Parameters<FastifyBaseLogger['child']>[0]

/** A request's logger, made when something is logged: to make one costs as much as a line, and few requests need it. */
export class RequestLog implements FastifyBaseLogger {
  readonly #parent: FastifyBaseLogger
  readonly #bindings: Bindings
  #own: FastifyBaseLogger | undefined

  constructor(parent: FastifyBaseLogger, bindings: Bindings) {
    this.#parent = parent
    this.#bindings = bindings
  }

  get level(): string {
    return this.#parent.level
  }

  set level(level: string) {
    this.#log.level = level
  }

  get #log(): FastifyBaseLogger {
    return (this.#own ??= this.#parent.child(this.#bindings))
  }

  child(...child: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#log.child(...child)
  }

  fatal(...line: Parameters<LogFn>): void {
    this.#log.fatal(...line)
  }

  error(...line: Parameters<LogFn>): void {
    this.#log.error(...line)
  }

  warn(...line: Parameters<LogFn>): void {
    this.#log.warn(...line)
  }

  info(...line: Parameters<LogFn>): void {
    this.#log.info(...line)
  }

  debug(...line: Parameters<LogFn>): void {
    this.#log.debug(...line)
  }

  trace(...line: Parameters<LogFn>): void {
    this.#log.trace(...line)
  }

  silent(...line: Parameters<LogFn>): void {
    this.#log.silent(...line)
  }
}
