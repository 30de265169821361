import { ROLES } from '@orchestrator/contract'
import { expect, it } from 'vitest'

import { assertMay, goesByOwner, PRIVILEGES, rolesFor, type Action } from '../../src/core/privileges.ts'

const actions = Object.keys(PRIVILEGES) as Action[]
const cells = ROLES.flatMap((role) => actions.map((action) => ({ role, action, extent: PRIVILEGES[action][role] })))
const of = (extent: 'any' | 'own' | undefined) => cells.filter((cell) => cell.extent === extent)

it.each(of('any'))('a $role may $action whatever it is', ({ role, action }) => {
  assertMay({ name: 'Robin', role }, action, 'Kim')
  expect(goesByOwner({ name: 'Robin', role }, action)).toBe(false)
  expect(rolesFor(action)).toContain(role)
})

it.each(of('own'))('a $role may $action only what is theirs', ({ role, action }) => {
  assertMay({ name: 'Robin', role }, action, 'Robin')
  expect(() => assertMay({ name: 'Robin', role }, action, 'Kim')).toThrow('Kim')
  expect(() => assertMay({ name: 'Robin', role }, action)).toThrow()
  expect(goesByOwner({ name: 'Robin', role }, action)).toBe(true)
  expect(rolesFor(action)).toContain(role)
})

it.each(of(undefined))('a $role may not $action, and is told who may', ({ role, action }) => {
  const ask = () => assertMay({ name: 'Robin', role }, action, 'Robin')
  expect(ask).toThrow(`${rolesFor(action).at(-1)}; yours is ${role}.`)
  expect(rolesFor(action)).not.toContain(role)
})

it.each(actions)('local may %s', (action) => {
  assertMay({ name: 'local', role: 'local' }, action, 'Kim')
  expect(goesByOwner({ name: 'local', role: 'local' }, action)).toBe(false)
})

it('leaves no cell untold', () => {
  expect(cells).toHaveLength(90)
  expect(of('any').length + of('own').length).toBe(34)
})
