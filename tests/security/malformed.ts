import * as fc from 'fast-check'

import { requestText } from '../../services/orchestrator/tests/raw-request.ts'

/** A request that a service must survive: its bytes, as they go over the wire. */
export type Malformed = Buffer

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const JSON_HEADERS = { 'content-type': 'application/json' }

/** Values that have broken parsers elsewhere. */
const AWKWARD: string[] = [
  '',
  'null',
  '[]',
  '{}',
  '"text"',
  '1e999',
  '-0',
  '{"a":',
  '{"a":1,}',
  "{'a':1}",
  '\u00ef\u00bb\u00bf{}',
  '\xff\xfe{}',
  '\xc3\x28',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '['.repeat(50_000),
  '{"a":'.repeat(20_000),
  `[${'1,'.repeat(20_000)}1]`,
  `{${Array.from({ length: 11_000 }, (_, index) => `"k${index}":1`).join()}}`,
  `{"a":"${'x'.repeat(70_000)}"}`,
  `{"a":${'9'.repeat(5_000)}}`,
]

const PATHS = [
  '/%',
  '/%zz',
  '/%00',
  '/\x00',
  '/\xff',
  '//',
  '/..',
  '/../../etc/passwd',
  '/%2e%2e/',
  '/?%',
  '/?a[]=1&a[]=2',
  '*',
  'x',
  '',
  `/${'a'.repeat(15_000)}`,
  `/?${'a=1&'.repeat(3_000)}`,
]

const HEADER_LINES = [
  'A',
  ': b',
  'A : b',
  ' A: b',
  'A: b\x00',
  'A: b\nC: d',
  `A: ${'x'.repeat(17_000)}`,
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: x',
  'Content-Length: -1',
  'Content-Length: 1, 2',
  'Content-Length: 9999999999999999999',
  'Expect: 200-maybe',
  'Upgrade: h2c',
  'Connection: upgrade',
  'Content-Type: \xff',
  'Accept: \xff',
  'Last-Event-ID: x',
  'Idempotency-Key: \xff',
  'Authorization: Bearer \xff',
  'Cookie: \xff=; =;;',
]

const CHUNKS = [
  'x\r\n',
  '5\r\nabc\r\n',
  '-1\r\n',
  'ffffffffffffffffff\r\n',
  '1;\x00\r\na\r\n0\r\n\r\n',
  '0\r\nA: b',
  '3\r\n{}\n\r\n0\r\n\r\n',
]

/** Bytes of all kinds, most of them nearly a request. `paths` are those of the service, with ids in their places. */
export function malformedRequests(host: string, paths: string[]): fc.Arbitrary<Malformed> {
  const path = fc.constantFrom(...paths)
  const method = fc.constantFrom('GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'X', '')
  const body = (text: string) => ({
    host,
    ...JSON_HEADERS,
    'content-length': String(Buffer.byteLength(text, 'latin1')),
  })

  const valid = fc
    .tuple(method, path)
    .map(([verb, target]) =>
      requestText(verb, target, body('{"workflow_type":"specify"}'), '{"workflow_type":"specify"}'),
    )
  const noise = fc.uint8Array({ maxLength: 200 }).map((list) => Buffer.from(list))
  const mutated = fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 3 }), fc.nat({ max: 255 })), {
        minLength: 1,
        maxLength: 6,
      }),
    )
    .map(([text, edits]) => edits.reduce(edit, bytes(text)))
  const awkward = fc
    .tuple(method, path, fc.constantFrom(...AWKWARD))
    .map(([verb, target, text]) => bytes(requestText(verb, target, body(text), text)))
  const wrongly_long = fc
    .tuple(path, fc.constantFrom('0', '1', '5', '100', '2000000', 'x', ''))
    .map(([target, length]) =>
      bytes(requestText('POST', target, { ...body('{}'), 'content-length': length }, '{"a":1}')),
    )
  const wrong_shape = fc
    .tuple(fc.constantFrom('POST', 'PATCH'), path, fc.json({ maxDepth: 3, stringUnit: 'binary-ascii' }))
    .map(([verb, target, text]) => bytes(requestText(verb, target, body(text), text)))
  const bad_path = fc
    .tuple(method, fc.constantFrom(...PATHS))
    .map(([verb, target]) => bytes(requestText(verb, target, { host })))
  const bad_header = fc
    .tuple(method, path, fc.constantFrom(...HEADER_LINES))
    .map(([verb, target, line]) =>
      bytes(`${verb} ${target} HTTP/1.1\r\nHost: ${host}\r\n${line}\r\nConnection: close\r\n\r\n`),
    )
  const bad_chunks = fc
    .tuple(path, fc.constantFrom(...CHUNKS))
    .map(([target, chunk]) =>
      bytes(
        `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
      ),
    )
  const bad_version = fc
    .constantFrom('', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'PRI * HTTP/2.0')
    .map((version) => bytes(`GET /health ${version}\r\nHost: ${host}\r\n\r\n`))
  return fc.oneof(
    noise,
    { arbitrary: mutated, weight: 3 },
    awkward,
    wrongly_long,
    { arbitrary: wrong_shape, weight: 3 },
    bad_path,
    bad_header,
    bad_chunks,
    bad_version,
  )
}

/** Changes, takes out, puts in or cuts off at a place. */
function edit(text: Buffer, [place, kind, value]: [number, number, number]): Buffer {
  const at = place % Math.max(1, text.length)
  const [head, tail] = [text.subarray(0, at), text.subarray(at)]
  switch (kind) {
    case 0:
      return Buffer.concat([head, Buffer.from([value]), tail.subarray(1)])
    case 1:
      return Buffer.concat([head, tail.subarray(1)])
    case 2:
      return Buffer.concat([head, Buffer.from([value]), tail])
    default:
      return head
  }
}
