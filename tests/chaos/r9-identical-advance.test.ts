import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { hang, startPlainHub, succeed, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { openDatabases } from '../../services/orchestrator/tests/databases.ts'
import { startService, type Service } from '../../services/orchestrator/tests/service.ts'
import { scale, tell } from './scale.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const ROUNDS = scale(1, 50)
const AT_ONCE = 100

describe.each(databases.lasting)('$title', (database) => {
  let hub: PlainHub
  let service: Service

  beforeEach(async () => {
    hub = await startPlainHub()
    service = await startService({
      hub: hub.url,
      env: { DATABASE_URL: await database.create(), MAX_CONCURRENT_PHASES: '1000' },
    })
  })
  afterEach(async () => {
    await service.close()
    await hub.close()
  })

  it.skipIf(database.isMissing)('takes exactly one of 100 identical decisions that arrive at once', async () => {
    const taken: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      hub.usual = succeed()
      const { id } = await service.create()
      await service.until(id, 'waiting_approval')
      hub.usual = hang
      const before = hub.received.length
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, () => service.advance(id, 'human_approved', { approved: true })),
      )
      const refused = answers.filter(({ body }) => body.error?.code === 'INVALID_STATE_TRANSITION')
      expect(refused).toHaveLength(AT_ONCE - 1)
      taken.push(answers.filter(({ status }) => status === 200).length)
      expect((await service.history(id)).map(({ trigger }) => trigger)).toEqual([
        'start',
        'agent_complete',
        'human_approved',
      ])
      await expect.poll(() => hub.received.length).toBe(before + 1)
    }
    tell(`R9 ${database.title}`, {
      rounds: ROUNDS,
      at_once: AT_ONCE,
      taken: taken.reduce((sum, count) => sum + count, 0),
    })
    expect(taken).toEqual(Array.from({ length: ROUNDS }, () => 1))
  })
})
