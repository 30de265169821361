import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ROLES, type Role } from '@orchestrator/contract'
import { expect, it } from 'vitest'

import { PRIVILEGES } from '../../services/orchestrator/src/core/privileges.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8')

/** The rows of the table whose head names the roles. */
function publishedTable(): Record<string, Partial<Record<Role, string>>> {
  const cellsOf = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''))
  const lines = page.split('\n')
  const head = lines.findIndex((line) => line.includes('`viewer` |'))
  const [, ...roles] = cellsOf(lines[head] ?? '')
  const body = lines.slice(head + 2)
  return Object.fromEntries(
    body.slice(0, body.indexOf('')).map((line) => {
      const [action = '', ...extents] = cellsOf(line)
      const granted = roles.map((role, index) => [role, extents[index]]).filter(([, extent]) => extent !== '')
      return [action, Object.fromEntries(granted) as Partial<Record<Role, string>>]
    }),
  )
}

it('the table of docs/security.md is the one that the service goes by', () => {
  const table = publishedTable()
  expect(Object.keys(table)).toHaveLength(18)
  expect(table).toEqual(PRIVILEGES)
  expect(page).toContain(`| | ${ROLES.map((role) => `\`${role}\``).join(' | ')} |`)
})
