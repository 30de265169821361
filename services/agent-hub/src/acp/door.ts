import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Ports of an agent's own loopback inside its walls: there one number is as good as another. */
export const DOOR_PORTS = { model: 8100, tools: 8101, proxy: 8102 } as const

/** A socket of the hub that an agent without a network sees as a port. */
export interface Door {
  /** Holds the socket and nothing else. */
  folder: string
  socket: string
  port: number
}

/**
 * Listens on a unix socket that only this user may open. The folder goes when the server is closed by `closeServer`,
 * or cannot listen.
 */
export async function openDoor(server: Server, port: number): Promise<Door> {
  // Short, whatever the data folder is called: the path of a socket has 107 characters at most.
  const folder = await mkdtemp(join(tmpdir(), 'hub-door-'))
  const socket = join(folder, 'door.sock')
  const door = { folder, socket, port }
  try {
    server.listen(socket)
    await once(server, 'listening')
    await chmod(socket, 0o600)
    return door
  } catch (error) {
    await closeServer(server, door)
    throw error
  }
}

export async function closeServer(server: Server, door: Door | undefined): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeAllConnections()
  await closed
  if (door !== undefined) await rm(door.folder, { recursive: true, force: true })
}
