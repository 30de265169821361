import { diagnose, type Finding } from './diagnose.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { colorsFor, type Output } from './reporter.ts'

const MARKS = { ok: '✓', advice: '!', failed: '✗' } as const

/** Prints what was found; exit code 1 when something stands in the way of a run. */
export async function doctor(o: {
  root: string
  env: NodeJS.ProcessEnv
  json: boolean
  out: Output
}): Promise<ExitCode> {
  const findings = await diagnose(o.root, o.env)
  const ok = findings.every((finding) => finding.level !== 'failed')
  o.out.write(o.json ? `${JSON.stringify({ ok, findings })}\n` : textOf(findings, o.out, o.env))
  return ok ? EXIT.ok : EXIT.failed
}

function textOf(findings: Finding[], out: Output, env: NodeJS.ProcessEnv): string {
  const colors = colorsFor(out, env)
  const paint = { ok: colors.green, advice: colors.yellow, failed: colors.red }
  return findings
    .flatMap(({ level, name, text, remedy }) => [
      `${paint[level](MARKS[level])} ${name.padEnd(12)} ${text}`,
      ...(remedy === null ? [] : [`  ${' '.repeat(12)} ${colors.dim(remedy)}`]),
    ])
    .map((line) => `${line}\n`)
    .join('')
}
