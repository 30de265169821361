import * as z from 'zod'

type Direction = 'input' | 'output'
type JsonSchema = Record<string, unknown>

const COMPONENTS = '#/components/schemas/'
const DEFINITIONS = '#/$defs/'
const INPUT_SUFFIX = 'Input'

/**
 * JSON schemas of an OpenAPI 3.1 document from zod schemas. One with `meta({ id })` becomes a component
 * of that name and is referred to; everything else stands where it is used.
 */
export function createOpenApiSchemas() {
  const components = new Map<string, unknown>()

  function convert(schema: z.ZodType, direction: Direction): JsonSchema {
    const options = { io: direction, reused: 'inline', cycles: 'ref', unrepresentable: 'any', override } as const
    const { $schema: _, $defs: definitions = {}, ...root } = z.toJSONSchema(schema, options)
    const rename = (ref: string) => componentRef(ref.slice(DEFINITIONS.length), direction)
    for (const [id, definition] of Object.entries(definitions)) {
      const name = componentName(id, direction)
      if (!components.has(name)) components.set(name, mapRefs(withoutAnonymous(definition), rename))
    }
    return mapRefs(withoutAnonymous(root), rename)
  }

  return {
    /** As part of a body or an answer: a reference when the schema has an id. */
    refer(schema: z.ZodType, direction: Direction): JsonSchema {
      const id = schema.meta()?.id
      if (id === undefined) return convert(schema, direction)
      const name = componentName(id, direction)
      if (!components.has(name)) {
        const converted = convert(schema, direction)
        // Where a schema refers to itself, zod has moved it into its definitions already.
        if (!components.has(name)) components.set(name, converted)
      }
      return { $ref: componentRef(id, direction) }
    },
    /** As a set of parameters, which must be written out. */
    inline: convert,
    /**
     * The document with the components it uses. What goes in and what comes out have a schema each, named
     * `Thing` and `ThingInput`; where only one is used or they are the same, `Thing` is enough.
     */
    complete<D extends JsonSchema>(document: D): D {
      const used = new Map<string, unknown>()
      const pending = refsIn(document)
      for (const name of pending) {
        if (used.has(name)) continue
        used.set(name, components.get(name))
        pending.push(...refsIn(components.get(name)))
      }
      const plainName = (name: string) => {
        const plain = name.endsWith(INPUT_SUFFIX) ? name.slice(0, -INPUT_SUFFIX.length) : name
        return !used.has(plain) || sameSchema(used.get(plain), used.get(name)) ? plain : name
      }
      const schemas = Object.fromEntries(
        [...used.keys()].toSorted(byName).map((name) => [plainName(name), used.get(name)]),
      )
      const known = typeof document.components === 'object' ? document.components : {}
      return mapRefs(
        { ...document, components: { ...known, schemas } },
        (ref) => `${COMPONENTS}${plainName(ref.slice(COMPONENTS.length))}`,
      )
    },
  }
}

/** Runs on every schema that zod writes. */
function override({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes
  jsonSchema: z.core.JSONSchema.BaseSchema
}): void {
  // The id is the component's name and no keyword.
  delete jsonSchema.id
  const { def } = zodSchema._zod
  // An answer may get more fields one day: only what comes in is closed, and only where the schema is strict.
  if (def.type === 'object' && def.catchall === undefined && jsonSchema.additionalProperties === false)
    delete jsonSchema.additionalProperties
}

/**
 * Recursion without an id is what `z.json()` is made of: any JSON at all, which an empty schema says as
 * well. Zod numbers such definitions anew for every document, so their names could not be shared.
 */
function withoutAnonymous<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    isRecord(inner) && typeof inner.$ref === 'string' && inner.$ref.startsWith(`${DEFINITIONS}__`) ? {} : inner,
  )
}

function componentName(id: string, direction: Direction): string {
  return direction === 'input' ? `${id}${INPUT_SUFFIX}` : id
}

function componentRef(id: string, direction: Direction): string {
  return `${COMPONENTS}${componentName(id, direction)}`
}

function mapRefs<T>(value: T, rename: (ref: string) => string): T {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
    key === '$ref' && typeof inner === 'string' ? rename(inner) : inner,
  )
}

function refsIn(value: unknown): string[] {
  const refs: string[] = []
  mapRefs(value ?? null, (ref) => {
    refs.push(ref.slice(COMPONENTS.length))
    return ref
  })
  return refs
}

/** Equal but for the direction in the names they refer to. */
function sameSchema(output: unknown, input: unknown): boolean {
  const plain = (ref: string) => (ref.endsWith(INPUT_SUFFIX) ? ref.slice(0, -INPUT_SUFFIX.length) : ref)
  return JSON.stringify(output) === JSON.stringify(mapRefs(input, plain))
}

function byName(one: string, other: string): number {
  return one < other ? -1 : 1
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
