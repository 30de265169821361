import { access } from 'node:fs/promises'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openModelGateway, type ModelAnswer, type ModelGateway } from '../../src/acp/model-gateway.ts'

let model: Server
let gateway: ModelGateway
let answers: ModelAnswer[]
let refusal: string | undefined
let seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[]

beforeEach(async () => {
  seen = []
  answers = []
  refusal = undefined
  model = createServer((incoming, outgoing) => {
    void incoming.toArray().then((chunks) => {
      seen.push({ url: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks).toString() })
      if (refusal !== undefined) return outgoing.writeHead(404).end(refusal)
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      return outgoing.end('data: 2\n\n')
    })
  }).listen(0, '127.0.0.1')
  await once(model, 'listening')
  const { port } = model.address() as AddressInfo
  const endpoint = { upstream: `http://127.0.0.1:${port}/base/`, headers: { 'x-api-key': 'real' } }
  gateway = await openModelGateway(endpoint, { HTTP_PROXY: 'http://127.0.0.1:9' }, (answer) => answers.push(answer))
})

afterEach(async () => {
  await gateway.close()
  model.close()
})

async function send(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const asked = request({ socketPath: gateway.door.socket, path, method: 'POST', headers }).end('question')
  const [answer] = await once(asked, 'response')
  const chunks: Buffer[] = await answer.toArray()
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString() }
}

describe('the model gateway', () => {
  it('passes a request on with the real key, and the answer back', async () => {
    expect(await send('/v1/messages?beta=true')).toEqual({ status: 200, text: 'data: 1\n\ndata: 2\n\n' })
    expect(seen).toMatchObject([
      { url: '/base/v1/messages?beta=true', body: 'question', headers: { 'x-api-key': 'real' } },
    ])
  })

  it('drops whatever key the agent sends', async () => {
    await send('/v1', { authorization: 'Bearer stolen', 'x-api-key': 'dummy', 'x-goog-api-key': 'dummy' })

    expect(JSON.stringify(seen)).not.toMatch(/stolen|dummy/)
  })

  it('names the model’s own host, whatever the agent asks for', async () => {
    await send('/v1', { host: 'elsewhere.example' })

    expect(seen[0]?.headers.host).toMatch(/^127\.0\.0\.1:/)
  })

  it('is no proxy: an address of another host is refused', async () => {
    expect(await send('http://elsewhere.example/v1')).toMatchObject({ status: 400 })
    expect(seen).toEqual([])
  })

  it('says that the model cannot be reached', async () => {
    model.close()
    model.closeAllConnections()
    await once(model, 'close')

    expect(await send('/v1')).toEqual({ status: 502, text: expect.stringContaining('The model cannot be reached') })
  })

  it.each([
    ['{"error":{"type":"not_found","message":"model: x is not known"}}', 'model: x is not known'],
    ['[{"error":{"code":404,"message":"models/x is not found"}}]', 'models/x is not found'],
    ['{"message":"No such model"}', 'No such model'],
    ['<h1>Not found</h1>', '<h1>Not found</h1>'],
  ])('passes a refusal on as it is, and tells what it says: %s', async (body, said) => {
    refusal = body

    expect(await send('/v1/messages', { 'accept-encoding': 'gzip' })).toEqual({ status: 404, text: body })
    await expect.poll(() => answers).toEqual([{ status: 404, said }])
    expect(seen[0]?.headers['accept-encoding']).toBe('identity')
  })

  it('leaves nothing behind', async () => {
    const other = await openModelGateway({ upstream: 'https://model.example', headers: {} }, {})
    await other.close()

    await expect(access(other.door.folder)).rejects.toThrow('ENOENT')
  })
})
