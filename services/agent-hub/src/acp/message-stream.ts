import type { AnyMessage, Stream } from '@agentclientprotocol/sdk'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

const MAX_LINE_BYTES = 16 * 1024 * 1024
const LINE_FEED = 0x0a

/** What an agent sends cannot be read on; the message goes on from the agent's name. */
export class StreamError extends Error {
  override readonly name = 'StreamError'
}

/**
 * ACP over an agent's stdin and stdout: one JSON object a line. Reading follows the reader, so that an
 * agent which floods is slowed down by its own pipe. A line that is no JSON object goes to `onNoise`:
 * some agents log to stdout. A line beyond 16 MiB ends the stream with an error.
 */
export function createMessageStream(stdin: Writable, stdout: Readable, onNoise: (line: string) => void): Stream {
  return {
    readable: toWebStream(readMessages(stdout, onNoise)),
    writable: new WritableStream<AnyMessage>({
      async write(message) {
        if (!stdin.writable) throw new Error('The agent no longer listens')
        if (!stdin.write(`${JSON.stringify(message)}\n`))
          await Promise.race([once(stdin, 'drain'), once(stdin, 'close')])
      },
    }),
  }
}

function toWebStream(messages: AsyncGenerator<AnyMessage>): ReadableStream<AnyMessage> {
  return new ReadableStream<AnyMessage>(
    {
      async pull(controller) {
        const next = await messages.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await messages.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* readMessages(stdout: Readable, onNoise: (line: string) => void): AsyncGenerator<AnyMessage> {
  let pending: Buffer[] = []
  let pending_bytes = 0
  const chunks: AsyncIterable<Buffer> = stdout
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const line = Buffer.concat([...pending, chunk.subarray(start, end)]).toString('utf8')
      start = end + 1
      pending = []
      pending_bytes = 0
      const message = parseMessage(line)
      if (message !== undefined) yield message
      else if (line.trim() !== '') onNoise(line)
    }
    pending.push(chunk.subarray(start))
    pending_bytes += chunk.length - start
    if (pending_bytes > MAX_LINE_BYTES) throw new StreamError('wrote a line of more than 16 MiB')
  }
  const rest = Buffer.concat(pending).toString('utf8')
  if (rest.trim() !== '') onNoise(rest)
}

/** Only that it is a JSON object is known here: the SDK checks the envelope, and each handler its parameters. */
function parseMessage(line: string): AnyMessage | undefined {
  if (!line.trimStart().startsWith('{')) return undefined
  try {
    return JSON.parse(line) as AnyMessage
  } catch {
    return undefined
  }
}
