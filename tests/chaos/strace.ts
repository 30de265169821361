import { spawnSync } from 'node:child_process'

/** Why nothing can be traced here; tests that need it report themselves skipped with it. */
export const straceMissing: string | undefined = (() => {
  const { error, status, stderr } = spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=fsync', 'true'], {
    encoding: 'utf8',
  })
  if (error !== undefined) return 'strace is not installed: as root, apt-get install strace'
  return status === 0 ? undefined : `strace cannot trace here: ${stderr.trim()}`
})()

const strace = (options: readonly string[], into: string): string[] => {
  const all = ['-f', '--seccomp-bpf', '-y', '-e', 'signal=none']
  return ['strace', ...all, ...options, '-o', into]
}

/** A command that runs another one with these system calls recorded in full. */
export const recording = (calls: readonly string[], into: string): string[] =>
  strace(['-xx', '-s', '1000000', '-e', `trace=${calls.join(',')}`], into)

/** A command that runs another one and lets the n-th call of a kind fail with an I/O error. */
export const failing = (call: string, number: number, into: string): string[] =>
  strace(['-e', `trace=${call}`, '-e', `inject=${call}:error=EIO:when=${number}`], into)

/** One recorded call: its text with every string as hexadecimal escapes, whole even when another thread came between. */
export interface Call {
  name: string
  /** Between the parentheses. */
  text: string
  result: number
}

export function parseTrace(trace: string): Call[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, pid = '', said = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const [, head] = /^(.*) <unfinished \.\.\.>$/.exec(said) ?? []
    if (head !== undefined) {
      begun.set(pid, head)
      return []
    }
    const [, tail] = /^<\.\.\. \w+ resumed>(.*)$/.exec(said) ?? []
    const [, name = '', text = '', result] =
      /^(\w+)\((.*)\) += (-?\d+)/.exec((tail === undefined ? '' : begun.get(pid)) + (tail ?? said)) ?? []
    return result === undefined ? [] : [{ name, text, result: Number(result) }]
  })
}

/** Every string in a call's text, in order. */
export const stringsOf = (text: string): Buffer[] =>
  [...text.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => Buffer.from(hex.replaceAll('\\x', ''), 'hex'))

/** The file that the call's first descriptor names. */
export function pathOf(text: string): string {
  const hex = /^\d+<((?:\\x[0-9a-f]{2})*)>/.exec(text)?.[1] ?? ''
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString()
}
