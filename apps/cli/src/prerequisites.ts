import { spawnSync } from 'node:child_process'

/** The oldest line of Node that runs the services from their source. */
export const NODE_MAJOR = 26

/** The version that a program tells of itself, such as `2.47.3`; undefined where there is none. */
export function findVersion(program: string): string | undefined {
  const answer = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 })
  return answer.error === undefined && answer.status === 0 ? /\d+(\.\d+)+/.exec(answer.stdout)?.[0] : undefined
}

/** What stands in the way of a start, each in one sentence with its remedy. */
export function findMissing(o: { own_hub: boolean }): string[] {
  const missing: string[] = []
  if (Number.parseInt(process.versions.node) < NODE_MAJOR) {
    missing.push(
      `Node ${NODE_MAJOR} is needed, this is ${process.versions.node}: start with "npm start", which brings its own.`,
    )
  }
  if (o.own_hub && findVersion('git') === undefined) {
    missing.push('git is missing, and the agents work in git repositories: install it (https://git-scm.com/downloads).')
  }
  return missing
}
