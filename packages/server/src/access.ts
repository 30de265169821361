import { type Role, ServiceError } from '@orchestrator/contract'
import type { RouteOptions } from 'fastify'

import type { Actor, RouteAccess, RouteScope, Server } from './server-types.ts'

/** Keeps account of who may ask each route; with `roles_required` a route that does not say is a fault at boot. */
export function registerAccess(app: Server, roles_required: boolean): void {
  const routes: RouteOptions[] = []
  const listAccess = () => routes.flatMap(accessOf)
  app.decorate('listAccess', listAccess)
  app.addHook('onRoute', (route) => void routes.push(route))
  if (!roles_required) return
  app.addHook('onReady', async () => {
    const [open] = listAccess().filter(({ access }) => access === undefined || access.length === 0)
    if (open !== undefined)
      throw new Error(`${open.method} ${open.url} says neither "public" nor which "roles" may ask`)
  })
}

/** Throws FORBIDDEN, with what would be needed. `local` is whoever owns the machine. */
export function checkRole(actor: Actor, roles: readonly Role[] | undefined): void {
  if (actor.role === 'local' || roles === undefined || roles.includes(actor.role)) return
  const needed = new Intl.ListFormat('en', { type: 'disjunction' }).format(roles)
  throw new ServiceError('FORBIDDEN', `This needs a key with the role ${needed}; yours is ${actor.role}.`)
}

/** Throws FORBIDDEN where a route has nothing for keys of single workspaces. */
export function checkScope(actor: Actor, scope: RouteScope | undefined): void {
  if (actor.workspaces === null || scope !== undefined) return
  const own = new Intl.ListFormat('en').format(actor.workspaces)
  throw new ServiceError('FORBIDDEN', `This is about all workspaces, and your key is for ${own} alone.`)
}

function accessOf({ method, url, config }: RouteOptions): RouteAccess[] {
  const access = config?.public === true ? 'public' : config?.roles
  return [method].flat().map((one) => ({ method: one, url, access, scope: config?.scope }))
}
