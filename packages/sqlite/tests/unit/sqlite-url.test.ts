import { expect, it } from 'vitest'

import { parseSqliteUrl } from '../../src/index.ts'

it.each([
  ['sqlite:///./data/orchestrator.db', './data/orchestrator.db'],
  ['sqlite:///data.db', 'data.db'],
  ['sqlite:////var/lib/data.db', '/var/lib/data.db'],
  ['sqlite:///:memory:', ':memory:'],
])('%s names %s', (url, path) => {
  expect(parseSqliteUrl(url)).toBe(path)
})

it.each(['', 'data.db', 'sqlite://data.db', 'sqlite:///', 'sqlite:///folder/', 'mysql://host/db'])(
  'refuses "%s"',
  (url) => {
    expect(() => parseSqliteUrl(url)).toThrow('is not a database URL')
  },
)
