import { hash, sign, verify, type KeyObject } from 'node:crypto'

/** The last link of a workflow's chain at some moment. */
export type Head = [workflow_id: string, sequence: number, hash: string]

/** All heads that moved since the checkpoint before it, in a line that cannot be left out or changed. */
export interface Checkpoint {
  number: number
  made_at: string
  /** Rows up to this sequence are covered by those before. */
  after: number
  /** Every row up to this sequence is covered. */
  through: number
  heads: Head[]
  /** SHA-256 of the line before; empty on the first. */
  previous: string
  /** Ed25519 over all of the above, base64. */
  signature: string
}

export type UnsignedCheckpoint = Omit<Checkpoint, 'signature'>

/** The line of a checkpoint, without its end. */
export function signCheckpoint(checkpoint: UnsignedCheckpoint, private_key: KeyObject): string {
  const signature = sign(null, signedBytes(checkpoint), private_key).toString('base64')
  return JSON.stringify({ ...checkpoint, signature } satisfies Checkpoint)
}

export function hashOfLine(line: string): string {
  return hash('sha256', line)
}

/** Throws an Error that names the first line that is not as it was signed. */
export function readCheckpoints(text: string, public_key: KeyObject): Checkpoint[] {
  const lines = text.split('\n').filter((line) => line !== '')
  let previous = ''
  let through: number | undefined
  return lines.map((line, index) => {
    const checkpoint = parse(line)
    const isWhole =
      checkpoint !== undefined &&
      checkpoint.number === index + 1 &&
      checkpoint.previous === previous &&
      (through === undefined || checkpoint.after === through) &&
      verify(null, signedBytes(checkpoint), public_key, Buffer.from(checkpoint.signature, 'base64'))
    if (!isWhole)
      throw new Error(
        `Line ${index + 1} of the checkpoints is not as it was signed: it was changed, one before it is missing, or it is of another key.`,
      )
    previous = hashOfLine(line)
    through = checkpoint.through
    return checkpoint
  })
}

function parse(line: string): Checkpoint | undefined {
  try {
    const value = JSON.parse(line) as Checkpoint | null
    return typeof value?.signature === 'string' && Array.isArray(value.heads) ? value : undefined
  } catch {
    return undefined
  }
}

function signedBytes({ number, made_at, after, through, heads, previous }: UnsignedCheckpoint): Buffer {
  return Buffer.from(JSON.stringify([number, made_at, after, through, heads, previous]))
}
