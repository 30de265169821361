/**
 * Why a service could not start, in one line for a person: it names the variable and the remedy.
 * `runService` prints the message to stderr and exits with 1; a stack trace is never shown.
 */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}
