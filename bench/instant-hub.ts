import { createServer } from 'node:http'

import { startService } from './service-process.ts'

interface InstantHub {
  url: string
  /** When the answer to an attempt left, by `performance.now()`; the attempt's workflow id is the key. */
  answered: Map<string, number>
  close(): Promise<void>
}

/** A hub of the plain interface that answers at once. */
async function startInstantHub(): Promise<InstantHub> {
  const answered = new Map<string, number>()
  const answer = JSON.stringify({
    success: true,
    result: { output: 'done', files_created: [] },
    confidence: 90,
    metadata: { duration_ms: 0 },
  })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      response.setHeader('content-type', 'application/json')
      const isInvoke = request.url?.startsWith('/invoke/') === true
      if (!isInvoke) response.statusCode = 404
      response.end(isInvoke ? answer : '{"error":{"code":"ROUTE_NOT_FOUND","message":"not here"}}')
      if (!isInvoke) return
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { parameters: { workflow_id: string } }
      answered.set(body.parameters.workflow_id, performance.now())
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    answered,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** An orchestrator with a file of its own in `folder`, at work through such a hub. */
export async function startWithInstantHub(folder: string, env: Record<string, string> = {}) {
  const hub = await startInstantHub()
  const service = await startService('orchestrator', {
    PORT: '0',
    AGENT_HUB_URL: hub.url,
    DATABASE_URL: `sqlite:///${folder}/bench.db`,
    ...env,
  })
  const stop = async () => {
    await service.stop()
    await hub.close()
  }
  return { url: service.url, answered: hub.answered, stop }
}
