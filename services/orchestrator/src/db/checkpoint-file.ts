import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { CheckpointFile } from '../core/checkpointer.ts'

/** How much of the file's end is read first to find its last line. */
const TAIL_BYTES = 64 * 1024

/** The folder of the checkpoints: their file, and the key that they are signed with, made when there is none. */
export async function openCheckpoints(folder: string): Promise<{ file: CheckpointFile; private_key: KeyObject }> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return { file: checkpointFile(join(folder, 'checkpoints.jsonl')), private_key: await readOrMakeKey(folder) }
}

async function readOrMakeKey(folder: string): Promise<KeyObject> {
  const path = join(folder, 'signing-key.pem')
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  // Fails when there is one: whoever was first, here or in another process, made the key.
  const isNew = await writeFile(path, made, { flag: 'wx', mode: 0o600 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
  const key = createPrivateKey(isNew ? made : await readFile(path, 'utf8'))
  await writeFile(join(folder, 'public-key.pem'), createPublicKey(key).export({ type: 'spki', format: 'pem' }))
  return key
}

function checkpointFile(path: string): CheckpointFile {
  return {
    async readLast() {
      const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
      try {
        const { size } = await file.stat()
        for (let length = Math.min(TAIL_BYTES, size); ; length = Math.min(length * 8, size)) {
          const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: size - length })
          const end = buffer.lastIndexOf(10)
          const start = end < 1 ? -1 : buffer.lastIndexOf(10, end - 1)
          if (start === -1 && length < size) continue
          // What follows the last end of a line was cut off while it was written, and is written anew.
          if (end + 1 < length) await file.truncate(size - length + end + 1)
          return end === -1 ? undefined : buffer.toString('utf8', start + 1, end)
        }
      } finally {
        await file.close()
      }
    },
    async append(line) {
      const file = await open(path, 'a', 0o600)
      try {
        await file.appendFile(`${line}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
    },
  }
}
