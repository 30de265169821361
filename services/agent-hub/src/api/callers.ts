import type { Role } from '@orchestrator/contract'

/** Who may ask: an orchestrator, which shows the token that both share. `local` stands above it, on a loopback without one. */
export const ORCHESTRATORS = { roles: ['hub'] as readonly Role[] }
