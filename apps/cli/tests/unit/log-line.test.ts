import { describe, expect, it } from 'vitest'

import { databasePath } from '../../src/database-url.ts'
import { isAtLeast, isLogLevel, parseLogLine, withoutControls } from '../../src/log-line.ts'
import { hostFor, reachableUrl } from '../../src/service-url.ts'

describe('parseLogLine', () => {
  it('reads level, time, message and address', () => {
    const line = '{"level":30,"time":"2026-01-31T12:00:00.000Z","msg":"listening","url":"http://127.0.0.1:8000"}'
    expect(parseLogLine(line)).toEqual({
      level: 'info',
      time: '2026-01-31T12:00:00.000Z',
      message: 'listening',
      url: 'http://127.0.0.1:8000',
    })
  })

  it('adds what an error says, once', () => {
    expect(parseLogLine('{"level":50,"msg":"it broke","err":{"message":"disk full"}}')?.message).toBe(
      'it broke: disk full',
    )
    expect(parseLogLine('{"level":50,"msg":"disk full","err":{"message":"disk full"}}')?.message).toBe('disk full')
  })

  it.each(['', 'PORT must be a number.', '{half', '{"no":"level"}', '{"level":"info"}', 'null', '[1]'])(
    'leaves to a person: %s',
    (line) => {
      expect(parseLogLine(line)).toBeUndefined()
    },
  )

  it('orders levels', () => {
    expect(isAtLeast('error', 'warn')).toBe(true)
    expect(isAtLeast('warn', 'warn')).toBe(true)
    expect(isAtLeast('info', 'warn')).toBe(false)
    expect(isAtLeast('fatal', 'silent')).toBe(false)
    expect(['warn', 'loud', 'toString'].map(isLogLevel)).toEqual([true, false, false])
  })
})

describe('what is shown', () => {
  it('holds nothing that a terminal obeys', () => {
    // eslint-disable-next-line no-control-regex -- they are what must be gone
    const controls = /[\u0000-\u0008\u000A-\u001F\u007F-\u009F]/
    expect(withoutControls('a\u001B[31mb\u001B]0;title\u0007c\r\nd\u009Be\tf')).not.toMatch(controls)
    expect(withoutControls('tab\tand ünïcode 日本')).toBe('tab\tand ünïcode 日本')
  })

  it.each([
    ['sqlite:///./data/orchestrator.db', './data/orchestrator.db'],
    ['sqlite:////var/lib/o.db', '/var/lib/o.db'],
    ['sqlite:///:memory:', 'in memory, gone when it ends'],
    ['postgres://ana:secret@db:5432/o', 'postgres://db:5432/o'],
  ])('is of %s: %s', (url, shown) => {
    expect(databasePath(url)).toBe(shown)
  })

  it.each([
    ['http://0.0.0.0:8000', 'http://127.0.0.1:8000'],
    ['http://[::]:8000/', 'http://127.0.0.1:8000'],
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
  ])('reaches %s at %s', (url, reached) => {
    expect(reachableUrl(url)).toBe(reached)
  })

  it('reaches a bare IPv6 host within brackets', () => {
    expect(hostFor('fe80::1')).toBe('[fe80::1]')
    expect(hostFor(undefined)).toBe('127.0.0.1')
  })
})
