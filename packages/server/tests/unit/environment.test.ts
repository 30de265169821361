import { describe, expect, test } from 'vitest'
import * as z from 'zod'

import { commaList, flag, httpUrl, readEnvironment, StartupError, wholeNumber } from '../../src/index.ts'

const schema = z.object({
  PORT: wholeNumber(0, 65_535).default(8000),
  LEVEL: z.enum(['info', 'debug']).default('info'),
  TRUST_PROXY: flag().default(false),
  NAMES: commaList().default([]),
  HUB_URL: httpUrl().default('http://localhost:8001'),
  HUB_TOKEN: z.string().min(16, 'must be at least 16 characters long').optional(),
  DATABASE_URL: z.string().startsWith('sqlite:', 'must begin with sqlite:').optional(),
})

function problem(env: NodeJS.ProcessEnv): unknown {
  try {
    return readEnvironment(schema, env)
  } catch (error) {
    return error
  }
}

describe('readEnvironment', () => {
  test('gives defaults for what is unset or empty, and nothing that the schema does not name', () => {
    expect(readEnvironment(schema, { PORT: '', NAMES: '', HOME: '/root' })).toEqual({
      PORT: 8000,
      LEVEL: 'info',
      TRUST_PROXY: false,
      NAMES: [],
      HUB_URL: 'http://localhost:8001',
    })
  })

  test('reads what is set', () => {
    const env = {
      PORT: '0',
      LEVEL: 'debug',
      TRUST_PROXY: 'on',
      NAMES: ' a.example, b.example:81 ,',
      HUB_URL: 'https://hub.example/base/',
    }
    expect(readEnvironment(schema, env)).toEqual({
      PORT: 0,
      LEVEL: 'debug',
      TRUST_PROXY: true,
      NAMES: ['a.example', 'b.example:81'],
      HUB_URL: 'https://hub.example/base',
    })
  })

  test.each([
    [{ PORT: 'abc' }, 'PORT must be a whole number from 0 to 65535, but is "abc".'],
    [{ PORT: '65536' }, 'PORT must be a whole number from 0 to 65535, but is "65536".'],
    [{ PORT: '-1' }, 'PORT must be a whole number from 0 to 65535, but is "-1".'],
    [{ PORT: '1e3' }, 'PORT must be a whole number from 0 to 65535, but is "1e3".'],
    [{ PORT: ' 80' }, 'PORT must be a whole number from 0 to 65535, but is " 80".'],
    [{ LEVEL: 'loud' }, 'LEVEL must be one of info, debug, but is "loud".'],
    [{ TRUST_PROXY: 'perhaps' }, 'TRUST_PROXY must be on or off, but is "perhaps".'],
    [{ HUB_URL: 'ftp://x' }, 'HUB_URL must be an http or https URL, such as http://localhost:8001, but is "ftp://x".'],
    [{ LEVEL: 'two\nlines' }, 'LEVEL must be one of info, debug, but is "two\\nlines".'],
  ])('refuses %o in one line that names the variable', (env, sentence) => {
    expect(problem(env)).toEqual(new StartupError(sentence))
  })

  test('never shows a secret', () => {
    expect(problem({ HUB_TOKEN: 'hunter2' })).toEqual(
      new StartupError('HUB_TOKEN must be at least 16 characters long.'),
    )
    expect(problem({ DATABASE_URL: 'postgres://me:hunter2@db/x' })).toEqual(
      new StartupError('DATABASE_URL must begin with sqlite:, but is "postgres://…@db/x".'),
    )
  })

  test('names a required variable that is missing', () => {
    expect(() => readEnvironment(z.object({ KEY_FILE: z.string() }), {})).toThrow(
      new StartupError('KEY_FILE is required.'),
    )
  })
})
