import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { OPEN_SERVICES, type EitherService, type OpenApiOperation } from './both-services.ts'
import { figure } from './counts.ts'
import { createArbitraries } from './schema-arbitrary.ts'
import { onEach } from './wide-service.ts'

/** Each starts an agent's process: of these there are few. */
const SLOW = ['POST /invoke/{agent}', 'POST /ask/{topic}', 'POST /escalations/{id}']

interface GeneratedRequest {
  operation: string
  method: string
  path: string
  headers: Record<string, string>
  body: string | undefined
}

describe.each(OPEN_SERVICES)('%s', (name, start) => {
  let service: EitherService
  let arbitraryOf: ReturnType<typeof createArbitraries>
  let operations: { key: string; method: string; path: string; operation: OpenApiOperation }[]
  /** What there really is, so that not every id is unknown. */
  let known: Record<string, string[]>

  beforeAll(async () => {
    service = await start()
    arbitraryOf = createArbitraries(service.document.components.schemas)
    operations = Object.entries(service.document.paths)
      .filter(([path]) => !path.endsWith('/events'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([verb, operation]) => {
          const method = verb.toUpperCase()
          return { key: `${method} ${path}`, method, path, operation }
        }),
      )
    known = await service.fill()
  })
  afterAll(() => service.close())

  /** A parameter as it may be sent: ids that there are, ids that there are not. */
  function parameterOf(parameter: NonNullable<OpenApiOperation['parameters']>[number]): fc.Arbitrary<unknown> {
    const any = arbitraryOf(parameter.schema)
    const real = known[parameter.name]
    return real === undefined ? any : fc.oneof(any, { arbitrary: fc.constantFrom(...real), weight: 3 })
  }

  function requestOf({ key, method, path, operation }: (typeof operations)[number]): fc.Arbitrary<GeneratedRequest> {
    const parameters = operation.parameters ?? []
    const places = (place: string) => {
      const here = parameters.filter((parameter) => parameter.in === place)
      const values = Object.fromEntries(here.map((parameter) => [parameter.name, parameterOf(parameter)]))
      const requiredKeys = here.filter(({ required }) => required === true).map((parameter) => parameter.name)
      return fc.record(values, { requiredKeys }) as fc.Arbitrary<Record<string, string>>
    }
    const schema = operation.requestBody?.content['application/json']?.schema
    const body =
      schema === undefined ? fc.constant(undefined) : bodyOf(schema, operation.requestBody?.required === true)
    return fc.record({ path: places('path'), query: places('query'), headers: places('header'), body }).map((parts) => {
      const query = new URLSearchParams(parts.query).toString()
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, id: string) => encodeURIComponent(parts.path[id] ?? ''))
      return {
        operation: key,
        method,
        path: query === '' ? filled : `${filled}?${query}`,
        headers: {
          ...headersOf(parts.headers),
          ...(parts.body !== undefined && { 'content-type': 'application/json' }),
        },
        body: parts.body,
      }
    })
  }

  function bodyOf(schema: object, is_required: boolean): fc.Arbitrary<string | undefined> {
    const text = arbitraryOf(schema).map((value) => withKnown(JSON.stringify(value)))
    return is_required ? text : fc.option(text, { nil: undefined })
  }

  /** A body that speaks of what there is, half of the time. */
  function withKnown(text: string): string {
    if (text.length % 2 === 0) return text
    const renew = (name: string, value: unknown) => (typeof value === 'string' ? (known[name]?.[0] ?? value) : value)
    return JSON.stringify(JSON.parse(text, renew))
  }

  it(
    'answers valid requests as its document says: status, type, shape',
    async () => {
      const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }))
      ajv.addSchema(service.document, 'openapi')
      const escape = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1')

      const complaint = async (sent: GeneratedRequest): Promise<{ status: number; wrong: string | undefined }> => {
        const { operation: key, method, path, headers, body } = sent
        const answer = await fetch(service.url + path, { method, headers, ...(body !== undefined && { body }) })
        const { status } = answer
        const text = await answer.text()
        const [verb = '', template = ''] = key.split(' ')
        const documented = service.document.paths[template]?.[verb.toLowerCase()]?.responses[status]
        if (status === 500) return { status, wrong: text }
        if (documented === undefined) return { status, wrong: `not documented: ${text}` }
        if (status === 204) return { status, wrong: text === '' ? undefined : 'a body' }
        const type = (answer.headers.get('content-type') ?? '').split(';', 1)[0] ?? ''
        if (documented.content?.[type] === undefined) return { status, wrong: `not documented as ${type}` }
        if (type !== 'application/json') return { status, wrong: undefined }
        const place = ['paths', template, verb.toLowerCase(), 'responses', String(status), 'content', type, 'schema']
        const validate = ajv.getSchema(`openapi#/${place.map(escape).map(encodeURIComponent).join('/')}`)
        if (validate === undefined) return { status, wrong: 'no schema' }
        const isValid = validate(JSON.parse(text)) === true
        return { status, wrong: isValid ? undefined : ajv.errorsText(validate.errors) }
      }

      const each = Math.ceil(figure(400, 5_000) / (operations.length - (name === 'agent-hub' ? SLOW.length : 0)))
      const requests = operations.flatMap((one, index) =>
        fc.sample(requestOf(one), { numRuns: SLOW.includes(one.key) ? figure(3, 20) : each, seed: 4_711 + index }),
      )
      expect(requests.length).toBeGreaterThanOrEqual(figure(400, 5_000))
      const answers = await onEach(requests, async (sent) => ({ ...sent, ...(await complaint(sent)) }))
      const violations = answers.filter(({ wrong }) => wrong !== undefined)
      // One of each kind, to be read by a person.
      const kinds = new Map(violations.map((one) => [`${one.operation} ${one.status} ${one.wrong}`, one]))
      expect([...kinds.values()].slice(0, 20)).toEqual([])
      // Of some use only where not all was refused.
      const done = new Set(answers.filter(({ status }) => status < 300).map(({ operation }) => operation))
      expect(done.size).toBeGreaterThan(operations.length * 0.7)
    },
    figure(240_000, 1_200_000),
  )
})

/** What a client library lets through: visible characters. */
function headersOf(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replaceAll(/[^\x21-\x7e]/g, '_')]),
  )
}
