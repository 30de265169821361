/** What a script can learn from the exit code; listed in `orchestrator --help` and in the README. */
export const EXIT = {
  /** Done, or ended because somebody asked. */
  ok: 0,
  /** A service did not start, a check failed, or the service refused or was not there. The reason stands on stderr. */
  failed: 1,
  /** Unknown command or option. */
  usage: 2,
  /** A service kept dying and was given up. */
  gave_up: 3,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_HELP = `
Exit codes:
  0  done, or ended because you asked
  1  something did not start, a check failed, or the service refused or was not there
  2  unknown command or option, or a wrong value
  3  a service kept dying and was given up`
