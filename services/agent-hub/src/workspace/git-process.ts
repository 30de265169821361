import { execFile } from 'node:child_process'

/** One run of git, whole. */
export interface GitOrder {
  args: readonly string[]
  cwd: string
  env: NodeJS.ProcessEnv
}

/** How it ended. */
export interface GitEnd {
  /** Null when a signal or one of our limits ended it. */
  exit_code: number | null
  /** Set when it could not be started: as in `ENOENT`. */
  refusal?: string
  stdout: Uint8Array
  stderr: string
}

/** Longest time one git command may take: the first copy of a large repository is the slowest. */
const GIT_TIMEOUT_MS = 600_000
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/** Without a shell. git starts while its input is still to come, and is ended when that does not come. */
export async function executeGit({ args, cwd, env }: GitOrder, input: Promise<string>): Promise<GitEnd> {
  return new Promise((resolve) => {
    const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: GIT_TIMEOUT_MS }
    const child = execFile('git', args, { cwd, env, ...limits, encoding: 'buffer' }, (error, stdout, stderr) => {
      const exit_code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      const is_refused = error?.syscall?.startsWith('spawn') === true
      resolve({ exit_code, stdout, stderr: stderr.toString(), ...(is_refused && { refusal: String(error.code) }) })
    })
    // git may end without reading its input; its exit code tells why.
    child.stdin?.on('error', () => {})
    input.then(
      (text) => child.stdin?.end(text),
      () => child.kill(),
    )
  })
}
