import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

import { killTree } from './kill-tree.ts'
import { parseLogLine, type LogLine } from './log-line.ts'
import { restartDelay, RESTART_POLICY, type RestartPolicy } from './restart-policy.ts'

export interface ServiceCommand {
  /** Absolute path of its main file. */
  main: string
  /** Of Node itself. */
  flags: readonly string[]
  env: NodeJS.ProcessEnv
  /** Restart on change of its code; done by Node itself. */
  watch: boolean
  /** The variable that holds its port: after the first start it is fixed, so that a restart keeps the address. */
  port_variable: string
}

export interface ServiceListener {
  onLog(line: LogLine): void
  /** A line that is no log: for a person, as it is. */
  onLine(text: string): void
  onDeath(how: string, restart_in_ms: number): void
}

/** Why a service is no longer run. */
export type ServiceEnd = 'stopped' | 'never_listened' | 'kept_dying'

export interface SupervisedService {
  /** Where it listens; pending for ever when it never does. */
  url: Promise<string>
  /** Resolves when it runs no more, and is not started again. */
  ended: Promise<ServiceEnd>
  /** SIGTERM; `ended` tells when it is over. */
  stop(): void
  /** SIGKILL, with all that descends from it. */
  kill(): void
}

const LAST_WORDS_MS = 200
/** One arena for all threads of a service, most of which only wait: some MB less of the C library's, beside. */
const ONE_ARENA: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '1' }

/** Runs a service and starts it again when it dies, until it is told to stop or dies too often. */
export function supervise(
  command: ServiceCommand,
  listener: ServiceListener,
  policy: RestartPolicy = RESTART_POLICY,
): SupervisedService {
  const url = Promise.withResolvers<string>()
  const ended = Promise.withResolvers<ServiceEnd>()
  const deaths: number[] = []
  const env = { ...ONE_ARENA, ...command.env }
  let listened = false
  let stopping = false
  let child: ChildProcess | undefined

  function start(): void {
    // A group of its own: Ctrl-C reaches only this process, which then ends the services in order.
    const started = spawn(
      process.execPath,
      [...command.flags, ...(command.watch ? ['--watch', '--watch-preserve-output'] : []), command.main],
      {
        env,
        detached: true,
        // The channel carries no messages: it breaks when this process is gone, and the service then ends itself.
        stdio: ['ignore', 'pipe', 'pipe', ...(command.watch ? [] : (['ipc'] as const))],
      },
    )
    child = started
    for (const output of [started.stdout, started.stderr]) if (output !== null) createInterface(output).on('line', read)
    started.on('error', (error) => listener.onLine(error.message))
    started.on('exit', (code, signal) => {
      // Its last words are read first; but somebody else may hold its pipes open for long.
      void Promise.race([once(started, 'close'), setTimeout(LAST_WORDS_MS)]).then(() =>
        died(signal ?? `exit code ${code}`),
      )
    })
  }

  function read(text: string): void {
    const line = parseLogLine(text)
    if (line === undefined) return listener.onLine(text)
    if (line.url !== undefined && !listened) {
      listened = true
      env[command.port_variable] = new URL(line.url).port
      url.resolve(line.url)
    }
    listener.onLog(line)
  }

  function died(how: string): void {
    child = undefined
    if (stopping) return ended.resolve('stopped')
    if (!listened) return ended.resolve('never_listened')
    deaths.push(performance.now())
    const delay_ms = restartDelay(deaths, policy)
    if (delay_ms === undefined) return ended.resolve('kept_dying')
    listener.onDeath(how, delay_ms)
    void setTimeout(delay_ms).then(restart)
  }

  function restart(): void {
    if (stopping) ended.resolve('stopped')
    else start()
  }

  function stop(): void {
    stopping = true
    if (child === undefined) ended.resolve('stopped')
    else child.kill('SIGTERM')
  }

  start()
  return {
    url: url.promise,
    ended: ended.promise,
    stop,
    kill() {
      stop()
      if (child?.pid !== undefined) killTree(child.pid)
    },
  }
}
