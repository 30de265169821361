import { describe, expect, test } from 'vitest'
import * as z from 'zod'

import { createOpenApiSchemas } from '../../src/openapi-schemas.ts'

const leaf = z.object({ size: z.int() }).meta({ id: 'TestLeaf' })
const tree = z.object({ id: z.string(), leaves: z.array(leaf), extra: z.json() }).meta({ id: 'TestTree' })
const withDefault = z.strictObject({ size: z.int().default(1) }).meta({ id: 'TestDefault' })

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const schemasOf = (document: unknown) =>
  (document as { components: { schemas: Record<string, unknown> } }).components.schemas

describe('createOpenApiSchemas', () => {
  test('refers to what has an id and keeps the rest in place', () => {
    const schemas = createOpenApiSchemas()
    expect(schemas.refer(tree, 'output')).toEqual(ref('TestTree'))
    expect(schemas.refer(z.object({ tree }), 'output')).toMatchObject({ properties: { tree: ref('TestTree') } })
    const components = schemasOf(schemas.complete({ paths: { '/': ref('TestTree') } }))
    expect(Object.keys(components)).toEqual(['TestLeaf', 'TestTree'])
    expect(components.TestTree).toMatchObject({
      properties: { id: { type: 'string' }, leaves: { items: ref('TestLeaf') }, extra: {} },
    })
  })

  test('gives one name to a schema that is the same in both directions', () => {
    const schemas = createOpenApiSchemas()
    const document = schemas.complete({ body: schemas.refer(tree, 'input'), answer: schemas.refer(tree, 'output') })
    expect(document).toMatchObject({ body: ref('TestTree'), answer: ref('TestTree') })
    expect(Object.keys(schemasOf(document))).toEqual(['TestLeaf', 'TestTree'])
  })

  test('gives two to one that is not: a default may be left out on the way in only', () => {
    const schemas = createOpenApiSchemas()
    const document = schemas.complete({
      body: schemas.refer(withDefault, 'input'),
      answer: schemas.refer(withDefault, 'output'),
    })
    expect(document).toMatchObject({ body: ref('TestDefaultInput'), answer: ref('TestDefault') })
    expect(schemasOf(document)).toMatchObject({
      TestDefault: { required: ['size'] },
      TestDefaultInput: expect.not.objectContaining({ required: expect.anything() }),
    })
  })

  test('an input schema used alone needs no suffix, and one nobody uses is left out', () => {
    const schemas = createOpenApiSchemas()
    schemas.refer(tree, 'output')
    const document = schemas.complete({ body: schemas.refer(withDefault, 'input') })
    expect(document).toMatchObject({ body: ref('TestDefault') })
    expect(Object.keys(schemasOf(document))).toEqual(['TestDefault'])
  })

  test('follows a schema that refers to itself', () => {
    const node = z
      .object({
        get next() {
          return node.nullable()
        },
      })
      .meta({ id: 'TestNode' })
    const schemas = createOpenApiSchemas()
    const components = schemasOf(schemas.complete({ answer: schemas.refer(node, 'output') }))
    expect(components.TestNode).toMatchObject({ properties: { next: { anyOf: [ref('TestNode'), { type: 'null' }] } } })
  })
})
