import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { promisify } from 'node:util'

import { ServiceError } from '@orchestrator/contract'

/** Nothing a reviewer reads is larger; what is, stays in git. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024

function assertRelative(path: string): void {
  const parts = path.split('/')
  const wrong = path === '' || path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')
  if (wrong) throw new ServiceError('VALIDATION_ERROR', `"${path}" is not a path within the working copy.`)
}

/** Where a path below `root` leads, or undefined where nothing is. Throws for a link that leads out. */
function findReal(root: string, path: string): string | undefined {
  assertRelative(path)
  const real = findRealPath(join(root, path))
  if (real !== undefined && !real.startsWith(realpathSync.native(root) + sep)) {
    throw leadsOut(path)
  }
  return real
}

export const leadsOut = (path: string) =>
  new ServiceError('VALIDATION_ERROR', `${path} is a link that leads out of the working copy, and is not read.`)

export const tooLarge = (path: string) =>
  new ServiceError('VALIDATION_ERROR', `${path} is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB.`)

/**
 * Throws where what was opened lies outside of `root` after all: a folder on the way may have become a link since it was
 * looked at. Only where /proc tells; elsewhere there is no sandbox out of which such a link could lead.
 */
function assertBelow(root: string, path: string, file: number): void {
  if (process.platform !== 'linux') return
  if (!readlinkSync(`/proc/self/fd/${file}`).startsWith(realpathSync.native(root) + sep)) throw leadsOut(path)
}

function findRealPath(path: string): string | undefined {
  try {
    // Most of what is looked for is not there, and an error costs more than a look.
    return statSync(path, { throwIfNoEntry: false }) && realpathSync.native(path)
  } catch {
    return undefined
  }
}

/** Replaces what a regular file below `root` holds. */
export async function writeBelow(root: string, path: string, text: string): Promise<void> {
  const real = findReal(root, path)
  if (real === undefined) return
  const file = await open(real, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    // Before anything of it is lost.
    assertBelow(root, path, file.fd)
    await file.truncate()
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/** What is no larger is read before another thread could be asked for it. */
const SMALL_BYTES_MAX = 64 * 1024
const readAside = promisify(read)

/**
 * Content of a regular file below `root`, or undefined. An agent wrote what lies there: a link that leads out is
 * refused, and neither a pipe nor a device is waited for.
 */
export async function readBelow(root: string, path: string): Promise<Uint8Array | undefined> {
  const real = findReal(root, path)
  const file = real === undefined ? undefined : openQuietly(real)
  if (file === undefined) return undefined
  try {
    assertBelow(root, path, file)
    const found = fstatSync(file)
    if (!found.isFile()) return undefined
    if (found.size > FILE_BYTES_MAX) throw tooLarge(path)
    // No further than it was long: somebody may still be writing.
    const buffer = new Uint8Array(found.size)
    const length =
      found.size <= SMALL_BYTES_MAX
        ? readSync(file, buffer)
        : (await readAside(file, buffer, 0, found.size, 0)).bytesRead
    return buffer.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

function openQuietly(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** What lies at a path, links not followed. */
export function findStats(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
