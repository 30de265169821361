import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'

import { collectGarbage } from '../../src/collect-garbage.ts'

it('leaves nothing that nobody holds, and the function to nobody else', async () => {
  const dropped = new WeakRef({})
  await setImmediate()
  collectGarbage()
  expect(dropped.deref()).toBeUndefined()
  expect(globalThis.gc).toBeUndefined()
})
