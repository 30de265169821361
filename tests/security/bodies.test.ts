import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from '../../packages/server/src/json-body.ts'
import { OPEN_SERVICES, type EitherService } from './both-services.ts'
import { createArbitraries } from './schema-arbitrary.ts'
import { onEach, openRaw } from './wide-service.ts'

interface Target {
  method: string
  path: string
  /** One that the document allows. */
  body: Record<string, unknown>
  properties: Record<string, { type?: string; enum?: unknown[] }>
}

/** What a tolerant service would take for a value of another type. */
const MISFITS: Record<string, unknown[]> = {
  string: [1, true, ['text'], { toString: 'text' }, null],
  integer: ['1', '0x1', 1.5, true, [1], '', null],
  number: ['1', true, [1], '', null],
  boolean: ['true', 'false', 0, 1, 'on', [], null],
  array: ['a', 'a,b', { 0: 'a', length: 1 }, 1, null],
  object: ['{}', [], [['a', 1]], 1, true, null],
}

describe.each(OPEN_SERVICES)('bodies of the %s', (_name, start) => {
  let service: EitherService
  let targets: Target[]
  let raw: ReturnType<typeof openRaw>
  let host: string

  beforeAll(async () => {
    service = await start()
    raw = openRaw(service.url)
    host = `127.0.0.1:${service.port}`
    const { paths, components } = service.document
    const arbitraryOf = createArbitraries(components.schemas)
    const resolved = (schema: { $ref?: string }) =>
      (schema.$ref === undefined ? schema : components.schemas[schema.$ref.replace('#/components/schemas/', '')]) as {
        properties?: Target['properties']
        oneOf?: { properties: Target['properties'] }[]
      }
    targets = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) => {
        const schema = operation.requestBody?.content['application/json']?.schema
        if (schema === undefined) return []
        const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
        const values = Object.fromEntries(
          parameters.map((one) => [one.name, fc.sample(arbitraryOf(one.schema), { numRuns: 1, seed: 1 })[0]]),
        )
        const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])))
        const samples = fc.sample(arbitraryOf(schema), { numRuns: 50, seed: 1 }) as Record<string, unknown>[]
        // The one that has most to say.
        const body = samples.toSorted((a, b) => Object.keys(b).length - Object.keys(a).length)[0] ?? {}
        const { properties = {}, oneOf } = resolved(schema)
        return [{ method: method.toUpperCase(), path: filled, body, properties: oneOf?.[0]?.properties ?? properties }]
      }),
    )
  })
  afterAll(async () => {
    raw.close()
    await service.close()
  })

  const send = async (asks: { method: string; path: string; text: string }[]) =>
    onEach(asks, async ({ method, path, text }) => {
      const length = String(Buffer.byteLength(text))
      const headers = { host, 'content-type': 'application/json', 'content-length': length }
      const answer = await raw.ask({ method, path, headers, body: text })
      return { method, path, text: text.slice(0, 200), status: answer.status, said: answer.text.slice(0, 300) }
    })

  it('are closed: a field that the document does not name is refused', async () => {
    const names = [
      'id',
      'status',
      'approved_by',
      'role',
      'actor',
      'is_admin',
      'created_at',
      'token',
      'constructor',
      '$where',
    ]
    const asks = targets.flatMap(({ method, path, body, properties }) =>
      names
        .filter((name) => !Object.hasOwn(properties, name))
        .map((name) => ({ method, path, text: JSON.stringify({ ...body, [name]: 'admin' }) })),
    )
    expect(asks.length).toBeGreaterThanOrEqual(30)
    expect(
      (await send(asks)).filter(({ status, said }) => status !== 422 || !said.includes('VALIDATION_ERROR')),
    ).toEqual([])
  })

  it('are taken as they are: no value becomes another type', async () => {
    const asks = targets.flatMap(({ method, path, body, properties }) =>
      Object.entries(properties).flatMap(([name, { type, enum: choices }]) =>
        (MISFITS[choices === undefined ? (type ?? '') : 'string'] ?? []).map((misfit) => ({
          method,
          path,
          text: JSON.stringify({ ...body, [name]: misfit }),
        })),
      ),
    )
    expect(asks.length).toBeGreaterThanOrEqual(30)
    expect((await send(asks)).filter(({ status }) => status !== 422)).toEqual([])
  })

  it('are bounded: depth, values, size', async () => {
    const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
    const many = JSON.stringify(Array.from({ length: MAX_JSON_VALUES + 1 }, () => 1))
    const large = JSON.stringify({ a: 'x'.repeat(1024 * 1024) })
    const bodies: [text: string, status: number][] = [
      [nested(MAX_JSON_DEPTH + 1), 422],
      [nested(100_000), 422],
      [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 422],
      [many, 422],
      [large, 413],
    ]
    const asks = targets.flatMap(({ method, path }) =>
      bodies.map(([text, expected]) => ({ method, path, text, expected })),
    )
    const answers = await send(asks)
    expect(answers.filter(({ status }, index) => status !== asks[index]?.expected)).toEqual([])
  })
})
