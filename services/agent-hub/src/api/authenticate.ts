import { createHash, timingSafeEqual } from 'node:crypto'

import { ServiceError } from '@orchestrator/contract'
import type { Actor, ServerOptions } from '@orchestrator/server'

const OPEN: Actor = { name: 'local', role: 'local', key_id: null, workspaces: null }
const CALLER: Actor = { name: 'orchestrator', role: 'hub', key_id: null, workspaces: null }

/** `Authorization: Bearer …` with the hub's token. Without a token the hub is open, which only loopback may be. */
export function createAuthentication(token: string | undefined): ServerOptions['authenticate'] {
  if (token === undefined) return async () => OPEN
  const expected = hash(token)
  return async (request) => {
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    // Hashes have one length, so that comparing tells nothing of the token's.
    if (given !== undefined && timingSafeEqual(hash(given), expected)) return CALLER
    throw new ServiceError(
      'UNAUTHORIZED',
      given === undefined
        ? 'This Agent Hub wants its token: send Authorization: Bearer with the value of AGENT_HUB_TOKEN.'
        : 'The token is not this Agent Hub’s: AGENT_HUB_TOKEN must be the same for both services.',
    )
  }
}

const hash = (text: string) => createHash('sha256').update(text).digest()
