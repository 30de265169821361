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

/** Asks the running service one thing and prints the answer, or why there is none. */
export async function askService<T>(
  { url, key, json }: ServiceFlags,
  { out, error }: Outputs,
  ask: (client: Client) => Promise<T>,
  textOf: (value: T) => string,
): Promise<ExitCode> {
  if (!URL.canParse(url)) {
    error.write(`--url must be a URL such as http://127.0.0.1:8000, but is "${withoutControls(url)}".\n`)
    return EXIT.usage
  }
  try {
    const value = await ask(createClient({ base_url: url, ...(key && { key }) }))
    out.write(json ? `${JSON.stringify(value)}\n` : textOf(value))
    return EXIT.ok
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown
    error.write(`${withoutControls(thrown.message)}\n`)
    return EXIT.failed
  }
}
