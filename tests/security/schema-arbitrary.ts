import * as fc from 'fast-check'

/** As much of JSON Schema as our documents use. */
interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  items?: Schema
  maxItems?: number
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
}

/** Longer texts and lists say nothing more of a service, and make a run slow. */
const SHORT = 40
const LARGE = 2 ** 31 - 1
const KNOWN_TYPES = ['string', 'integer', 'number', 'boolean', 'null', 'array', 'object']

/** What a client may send by a schema. A keyword that is not understood throws, so that none is passed over. */
export function createArbitraries(components: Record<string, object>) {
  function arbitraryOf(given: object): fc.Arbitrary<unknown> {
    const schema = given as Schema
    if (schema.$ref !== undefined) {
      const name = schema.$ref.replace('#/components/schemas/', '')
      const known = components[name]
      if (known === undefined) throw new Error(`${schema.$ref} leads nowhere`)
      return arbitraryOf(known)
    }
    if ('const' in schema) return fc.constant(schema.const)
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
    const choices = schema.anyOf ?? schema.oneOf
    if (choices !== undefined) return fc.oneof(...choices.map(arbitraryOf))
    return ofType(schema)
  }

  function ofType(schema: Schema): fc.Arbitrary<unknown> {
    if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => ofType({ ...schema, type })))
    switch (schema.type) {
      case 'string':
        return ofString(schema)
      case 'integer':
        return fc.integer({
          min: Math.max(schema.minimum ?? -LARGE, (schema.exclusiveMinimum ?? -LARGE) + 1),
          max: Math.min(schema.maximum ?? LARGE, LARGE),
        })
      case 'number':
        return fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => isWithin(schema, value))
      case 'boolean':
        return fc.boolean()
      case 'null':
        return fc.constant(null)
      case 'array':
        return fc.array(arbitraryOf(schema.items ?? {}), { maxLength: Math.min(schema.maxItems ?? 3, 3) })
      case 'object':
        return ofObject(schema)
      case undefined:
        // Any JSON at all.
        return fc.jsonValue({ maxDepth: 2, stringUnit: readable })
      default:
        throw new Error(`${schema.type} is none of ${KNOWN_TYPES.join(', ')}`)
    }
  }

  function ofObject({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
    const known = fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(schema)])),
      { requiredKeys: required },
    )
    if (additionalProperties === undefined || additionalProperties === false) return known
    const value = arbitraryOf(additionalProperties === true ? {} : additionalProperties)
    const key = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 10 })
      .filter((name) => !(name in properties))
    return fc
      .tuple(fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true }), known)
      .map(([more, own]) => ({ ...more, ...own }))
  }

  return arbitraryOf
}

/** NUL and half characters are refused everywhere, which no schema can say. */
const readable = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).filter((text) => text !== '\0')

function ofString({ format, pattern, minLength = 0, maxLength = Infinity }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid()
  if (format === 'date-time')
    return fc
      .date({ min: new Date(), max: new Date('9000-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString())
  const longest = Math.min(maxLength, minLength + SHORT)
  if (pattern !== undefined) {
    const matching = fc.stringMatching(new RegExp(pattern, 'u'))
    return matching.filter((text) => text.length >= minLength && text.length <= maxLength)
  }
  return fc
    .string({ unit: readable, minLength, maxLength: longest })
    .filter((text) => text.length >= minLength && text.length <= maxLength)
}

function isWithin({ minimum, maximum, exclusiveMinimum }: Schema, value: number): boolean {
  return value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity) && value > (exclusiveMinimum ?? -Infinity)
}
