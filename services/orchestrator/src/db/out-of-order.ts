/**
 * On Postgres a transaction's sequence comes from its id, which it may have been given before another one
 * that took its step first. The work is run again and gets a later one, so that the rows of a workflow stand
 * in the order in which they came to be.
 */
export class OutOfOrderError extends Error {
  override readonly name = 'OutOfOrderError'
  /** As Postgres calls work that must be run again. */
  readonly code = '40001'

  constructor() {
    super('another transaction took a step of this workflow in between')
  }
}
