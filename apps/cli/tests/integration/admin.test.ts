import { budgetSchema, erasureSchema } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startKeyedService, type KeyedService } from './keyed-service.ts'

let service: KeyedService
beforeAll(async () => {
  service = await startKeyedService()
})
afterAll(() => service.close())

describe('orchestrator budget', () => {
  it('shows and lifts', async () => {
    expect((await service.ask(['budget', 'show'])).text).toMatch(/^free {5}\$0\.00 of no limit {2}day:\d{4}-\d\d-\d\d$/)
    const lifted = await service.ask(['budget', 'lift', '--limit', '12.50', '--reason', 'worth it', '--json'])
    expect({ exit_code: lifted.exit_code, errors: lifted.errors }).toEqual({ exit_code: 0, errors: '' })
    expect(budgetSchema.parse(JSON.parse(lifted.text))).toMatchObject({ limit_usd: 12.5, reason: 'worth it' })
    expect((await service.ask(['budget', 'show'])).text).toContain('$0.00 of $12.50')
  })

  it.each([
    ['no reason', [], 2, '--reason'],
    ['no amount', ['--reason', 'x', '--limit', 'much'], 2, 'limit_usd'],
    ['a feature there is not', ['--reason', 'x', '--feature', '999-nothing'], 1, 'no feature 999-nothing'],
  ])('refuses %s with a sentence and an exit code', async (_, words, expected, sentence) => {
    const { exit_code, errors } = await service.ask(['budget', 'lift', ...words])
    expect({ exit_code, errors }).toEqual({ exit_code: expected, errors: expect.stringContaining(sentence) })
  })
})

describe('orchestrator erase', () => {
  it('erases what somebody wrote, and the audit verifies', async () => {
    const { exit_code, text } = await service.ask(['erase', 'Kim', '--yes', '--json'])
    expect(exit_code).toBe(0)
    expect(erasureSchema.parse(JSON.parse(text))).toMatchObject({ history_rows: 0 })
    expect((await service.ask(['audit', 'verify'])).text).toContain('acts of admins')
  })

  it('does nothing by a slip, nor to who still holds a key', async () => {
    const slip = await service.ask(['erase', 'Kim'])
    expect({ ...slip }).toEqual({ exit_code: 2, text: '', errors: expect.stringContaining('--yes') })
    const held = await service.ask(['erase', 'admin', '--yes'])
    expect({ ...held }).toEqual({ exit_code: 1, text: '', errors: expect.stringContaining('revoke those of admin') })
  })
})
