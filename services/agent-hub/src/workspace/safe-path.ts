import { constants, type Stats } from 'node:fs'
import { lstat, open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'

import { ServiceError } from '@orchestrator/contract'

/** Nothing a reviewer reads is larger; what is, stays in git. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024

function assertRelative(path: string): void {
  const parts = path.split('/')
  const wrong = path === '' || path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')
  if (wrong) throw new ServiceError('VALIDATION_ERROR', `"${path}" is not a path within the working copy.`)
}

/** Where a path below `root` leads, or undefined where nothing is. Throws for a link that leads out. */
async function findReal(root: string, path: string): Promise<string | undefined> {
  assertRelative(path)
  const [real_root, real] = await Promise.all([realpath(root), realpath(join(root, path)).catch(() => undefined)])
  if (real !== undefined && !real.startsWith(real_root + sep)) {
    throw new ServiceError('VALIDATION_ERROR', `${path} is a link that leads out of the working copy, and is not read.`)
  }
  return real
}

/** Replaces what a regular file below `root` holds. While no agent is at work there: nobody changes links in between. */
export async function writeBelow(root: string, path: string, text: string): Promise<void> {
  const real = await findReal(root, path)
  if (real === undefined) return
  const file = await open(real, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_TRUNC)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
}

/**
 * Content of a regular file below `root`, or undefined. An agent wrote what lies there: a link that leads out is
 * refused, and neither a pipe nor a device is waited for.
 */
export async function readBelow(root: string, path: string): Promise<Uint8Array | undefined> {
  const real = await findReal(root, path)
  if (real === undefined) return undefined
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const found = await file.stat()
    if (!found.isFile()) return undefined
    if (found.size > FILE_BYTES_MAX) {
      throw new ServiceError('VALIDATION_ERROR', `${path} is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB.`)
    }
    // No further than it was long: somebody may still be writing.
    const { buffer, bytesRead } = await file.read(new Uint8Array(found.size))
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** What lies at a path, links not followed. */
export async function findStats(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined)
}
