/** What stands between a place that may be read and a file that may not, in the spellings that got through elsewhere. */
const STEPS = [
  '../',
  '..%2f',
  '%2e%2e/',
  '%2e%2e%2f',
  '..%252f',
  '%252e%252e%252f',
  '..\\',
  '..%5c',
  '%2e%2e%5c',
  '..%c0%af',
  '..%ef%bc%8f',
  '..;/',
  '..%00/',
  '....//',
  '..././',
  './../',
  '.%2e/',
  '%2e./',
  '..%2f..%2f',
  '.../',
]
/** Files that nobody may get, from the root or from the service's own folder. */
const TARGETS = ['etc/passwd', 'canary.txt', 'orchestrator.db', 'hub.db', 'proc/self/environ', '.git/config']
const DEPTHS = [1, 2, 3, 8]

/** Spellings of paths that lead out, and absolute ones. */
export const TRAVERSALS: readonly string[] = [
  ...STEPS.flatMap((step) => TARGETS.flatMap((target) => DEPTHS.map((depth) => step.repeat(depth) + target))),
  ...TARGETS.flatMap((target) => [
    `/${target}`,
    `%2f${target}`,
    `//${target}`,
    `file:///${target}`,
    `file:%2f%2f%2f${target}`,
    `x/../../${target}`,
    `x%2f..%2f..%2f${target}`,
    `${target}%00.md`,
    `~/${target}`,
    `C:\\${target}`,
  ]),
]
