/** The workspace cannot be used at all; the message is one line that says why and what to do. */
export class WorkspaceError extends Error {
  override readonly name = 'WorkspaceError'
}
