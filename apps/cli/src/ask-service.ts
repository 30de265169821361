import { createClient, type Client } from '@orchestrator/client'
import { ServiceError } from '@orchestrator/contract'

import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'
import type { Output } from './reporter.ts'

/** Where the service is and who asks; on loopback nobody has to say who. */
export interface ServiceFlags {
  url: string
  key?: string
  json: boolean
}

export interface Outputs {
  out: Output
  error: Output
}

/** One question to the running service, its answer as text or as JSON, its refusal as a sentence. */
export function askService<T>(
  flags: ServiceFlags,
  outputs: Outputs,
  ask: (client: Client) => Promise<T>,
  textOf: (value: T) => string,
): Promise<ExitCode> {
  return withClient(flags, outputs, async (client) => {
    const value = await ask(client)
    outputs.out.write(flags.json ? `${JSON.stringify(value)}\n` : textOf(value))
    return EXIT.ok
  })
}

export async function withClient(
  { url, key }: Pick<ServiceFlags, 'url' | 'key'>,
  { error }: Outputs,
  run: (client: Client) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (!URL.canParse(url)) {
    error.write(`--url must be a URL such as http://127.0.0.1:8000, but is "${withoutControls(url)}".\n`)
    return EXIT.usage
  }
  try {
    return await run(createClient({ base_url: url, ...(key && { key }) }))
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown
    error.write(`${withoutControls(thrown.message)}\n`)
    return EXIT.failed
  }
}
