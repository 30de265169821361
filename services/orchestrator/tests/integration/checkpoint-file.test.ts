import { createPublicKey } from 'node:crypto'
import { appendFile, readFile, rm, stat } from 'node:fs/promises'
import { readCheckpoints } from '@orchestrator/audit'
import { describe, expect, it, onTestFinished } from 'vitest'

import { Checkpointer } from '../../src/core/checkpointer.ts'
import { openCheckpoints } from '../../src/db/checkpoint-file.ts'
import { temporaryFolder } from '../service.ts'

/** A history that has so many new rows each time that it is asked; with 5,000 it never ends. */
async function openSigning({ rows = 1 } = {}) {
  const folder = `${await temporaryFolder()}/audit`
  onTestFinished(() => rm(folder, { recursive: true }))
  const errors: unknown[] = []
  const open = async () => {
    const { file, private_key } = await openCheckpoints(folder)
    const listLinks = async (after: number) =>
      Array.from({ length: rows }, (_, index) => {
        const sequence = after + 1 + index
        return { workflow_id: 'w', sequence, hash: String(sequence).repeat(30_000) }
      })
    return new Checkpointer({
      store: { listLinks },
      file,
      private_key,
      now: () => new Date(),
      onError: (error) => void errors.push(error),
    })
  }
  const read = async () =>
    readCheckpoints(
      await readFile(`${folder}/checkpoints.jsonl`, 'utf8'),
      createPublicKey(await readFile(`${folder}/public-key.pem`)),
    )
  return { folder, open, read, errors }
}

describe('the file of checkpoints', () => {
  it('goes on with the same key when it is opened again, however long its lines are', async () => {
    const { open, read } = await openSigning()
    const first = await open()
    await first.write()
    await first.write()
    await (await open()).write()
    expect((await read()).map(({ number, after, through }) => [number, after, through])).toEqual([
      [1, 0, 1],
      [2, 1, 2],
      [3, 2, 3],
    ])
  })

  it('takes back what was cut off while it was written', async () => {
    const { folder, open, read } = await openSigning()
    const checkpointer = await open()
    await checkpointer.write()
    await appendFile(`${folder}/checkpoints.jsonl`, '{"number":2,"made_at":"20')
    await checkpointer.write()
    await appendFile(`${folder}/checkpoints.jsonl`, 'x')
    await checkpointer.write()
    expect(await read()).toHaveLength(3)
  })

  it('lets nobody else read its key', async () => {
    const { folder, open } = await openSigning()
    await open()
    expect((await stat(`${folder}/signing-key.pem`)).mode & 0o777).toBe(0o600)
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
  })

  it('is left for the next start where a stop finds more to sign than it has time for', async () => {
    const { open, read } = await openSigning({ rows: 5_000 })
    await (await open()).stop()
    expect((await read()).length).toBeGreaterThan(0)
  })

  it('that is damaged is told and not written on', async () => {
    const { folder, open, errors } = await openSigning()
    const checkpointer = await open()
    await appendFile(`${folder}/checkpoints.jsonl`, 'no JSON\n')
    await checkpointer.stop()
    expect(errors).toHaveLength(1)
    expect(await readFile(`${folder}/checkpoints.jsonl`, 'utf8')).toBe('no JSON\n')
  })
})
