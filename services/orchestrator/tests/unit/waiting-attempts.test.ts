import { beforeEach, expect, it } from 'vitest'

import { WaitingAttempts } from '../../src/db/waiting-attempts.ts'
import { openEngine, type Engine } from '../engine.ts'

let engine: Engine
let waiting: WaitingAttempts

beforeEach(async () => {
  engine = await openEngine('sqlite:///:memory:')
  waiting = new WaitingAttempts(engine.session.read)
})

const unlimited = () => Number.POSITIVE_INFINITY
const take = async (limit: number) => (await waiting.take(limit, unlimited)).map(({ id }) => id)

it('finds again what was taken and let go of, however a look and a new beginning meet', async () => {
  const first = (await engine.create()).attempt!.id
  await waiting.reset()
  expect(await take(1)).toEqual([first])
  const second = (await engine.create()).attempt!.id
  waiting.add('default')
  const [taken] = await Promise.all([take(1), waiting.reset()])
  expect(taken).toEqual([second])
  expect(await take(10)).toEqual([first, second])
})

it('keeps what is enqueued while it begins at the beginning', async () => {
  const beginning = waiting.reset()
  waiting.add('other')
  await beginning
  const { attempt } = await engine.create({ agent: 'other' })
  expect(await take(10)).toEqual([attempt!.id])
})
