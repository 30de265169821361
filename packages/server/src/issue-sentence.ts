import type * as z from 'zod'

const TYPE_NAMES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
  undefined: 'left out',
}

const FORMAT_NAMES: Record<string, string> = {
  uuid: 'a UUID',
  datetime: 'an ISO 8601 time in UTC',
  url: 'a URL',
  email: 'an e-mail address',
}

/**
 * What is wrong with a value, to be read after its name: `must be at least 10 characters long`.
 * Given to zod for one parse; a message that the schema itself carries goes before it.
 */
export function issueSentence(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined && issue.code !== 'unrecognized_keys' && issue.code !== 'custom') return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return sizeSentence(issue.origin, Number(issue.minimum), 'least')
    case 'too_big':
      return sizeSentence(issue.origin, Number(issue.maximum), 'most')
    case 'invalid_format':
      return `must be ${FORMAT_NAMES[issue.format] ?? `a valid ${issue.format}`}`
    case 'unrecognized_keys':
      return 'is not a known field'
    case 'invalid_union':
      return 'has none of the allowed forms'
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'is not valid'
  }
}

function sizeSentence(origin: string, limit: number, bound: 'least' | 'most'): string {
  if (origin === 'string')
    return limit === 1 && bound === 'least' ? 'must not be empty' : `must be at ${bound} ${limit} characters long`
  if (origin === 'array' || origin === 'set') return `must hold at ${bound} ${limit} items`
  return `must be at ${bound} ${limit}`
}
