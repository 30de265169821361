import type { InvocationRecord } from './store.ts'

const SUMMARY_MAX = 1000

/**
 * A subject that names what was done, the agent's own summary, and trailers by which the commit is found again. The
 * summary stands before the trailers' paragraph, so that a line in it that looks like a trailer is none.
 */
export function commitMessage(record: InvocationRecord, summary: string): string {
  const { workflow_type, context, parameters } = record.request
  const attempt = parameters.attempt ?? 1
  const trailers = [
    ['Workflow', parameters.workflow_id ?? 'none'],
    ['Phase', context.phase],
    ['Attempt', String(attempt)],
    ['Agent', record.agent],
    ['Invocation', record.id],
  ].map(([name, value]) => `${name ?? ''}: ${oneLine(value ?? '')}`)
  const said = clean(summary).slice(0, SUMMARY_MAX).trim()
  return [
    `${workflow_type} ${context.phase} attempt ${attempt} for ${record.feature_id}`,
    ...(said === '' ? [] : [said]),
    trailers.join('\n'),
  ].join('\n\n')
}

/** What an agent writes may carry escapes for the terminal that shows the log. */
function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll('\r\n', '\n').replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
}

const oneLine = (text: string) => clean(text).replaceAll('\n', ' ').slice(0, 200)
