import { queueSchema } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startKeyedService, type KeyedService } from './keyed-service.ts'

let service: KeyedService
beforeAll(async () => {
  service = await startKeyedService()
})
afterAll(() => service.close())

describe('orchestrator queue', () => {
  it('pauses, shows why, and resumes', async () => {
    const paused = await service.ask(['queue', 'pause', '--reason', 'a new model', '--json'])
    expect({ exit_code: paused.exit_code, errors: paused.errors }).toEqual({ exit_code: 0, errors: '' })
    const queue = queueSchema.parse(JSON.parse(paused.text))
    expect(queue).toMatchObject({ state: 'paused', paused_by: 'admin', reason: 'a new model' })
    const shown = await service.ask(['queue', 'show'])
    expect(shown.text).toBe(`The queue is paused since ${queue.paused_at} by admin: a new model. 0 waiting; 0 at work.`)
    expect((await service.ask(['queue', 'resume'])).text).toBe('The queue is running. 0 waiting; 0 at work.')
  })

  it.each([
    ['no key', ['show'], '', 1, 'needs a key'],
    ['no service there', ['show', '--url', 'http://127.0.0.1:1'], undefined, 1, 'cannot be reached'],
    ['a command there is not', ['stop'], undefined, 2, 'unknown command'],
  ])('refuses %s with a sentence and an exit code', async (_, words, key, expected, sentence) => {
    const { exit_code, errors } = await service.ask(['queue', ...words], key)
    expect({ exit_code, errors }).toEqual({ exit_code: expected, errors: expect.stringContaining(sentence) })
  })
})
