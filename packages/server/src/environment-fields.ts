import * as z from 'zod'

/** A whole number within bounds, both included. */
export function wholeNumber(minimum: number, maximum: number) {
  const message = `must be a whole number from ${minimum} to ${maximum}`
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, message)
}

/** A switch: `true`, `on`, `yes`, `1` or `false`, `off`, `no`, `0`. */
export function flag() {
  return z.stringbool({
    truthy: ['true', 'on', 'yes', '1'],
    falsy: ['false', 'off', 'no', '0'],
    error: 'must be on or off',
  })
}

/** Words between commas, blanks around them ignored. */
export function commaList() {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  )
}

/** An `http:` or `https:` address, without the slash at its end. */
export function httpUrl() {
  return z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL, such as http://localhost:8001' })
    .transform((url) => url.replace(/\/+$/, ''))
}

/** A secret that goes into a header as it is. */
export function sharedToken() {
  return z
    .string()
    .min(16, 'must be at least 16 characters long')
    .regex(/^[\x21-\x7e]*$/, 'must hold no blanks and only ASCII characters, or it would never be recognised')
}
