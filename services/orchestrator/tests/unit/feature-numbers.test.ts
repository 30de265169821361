import { expect, it } from 'vitest'

import { createHighestNumber } from '../../src/core/feature-numbers.ts'
import { HubError, type AgentHub } from '../../src/core/agent-hub.ts'
import { createDrivenClock } from '../driven-clock.ts'

const unused = () => Promise.reject(new Error('not asked for here'))
function hubThatKnows(getWorkspace: () => Promise<number>): AgentHub & { asked: () => number } {
  let asked = 0
  return {
    invoke: unused,
    cancel: unused,
    cancelByKey: unused,
    getArtifact: unused,
    listAgents: unused,
    listWorkspaces: unused,
    listExchanges: unused,
    findFeature: unused,
    push: unused,
    getHealth: unused,
    asked: () => asked,
    async getWorkspace(name) {
      asked++
      return { name, path: '/r', default_branch: 'main', highest_number: await getWorkspace() }
    },
  }
}

it('asks the hub, and again when the answer is old or the clock jumped back', async () => {
  const clock = createDrivenClock()
  let number = 7
  const hub = hubThatKnows(async () => number)
  const highest = createHighestNumber(hub, clock)
  expect(await highest('default')).toBe(7)
  number = 9
  expect(await highest('default')).toBe(7)
  clock.jump(5001)
  expect(await highest('default')).toBe(9)
  number = 11
  clock.jump(-60_000)
  expect(await highest('default')).toBe(11)
  expect(hub.asked()).toBe(3)
})

it('asks for each workspace', async () => {
  const hub = hubThatKnows(async () => 3)
  const highest = createHighestNumber(hub, createDrivenClock())
  await highest('one')
  await highest('two')
  expect(hub.asked()).toBe(2)
})

it('does not wait long for a hub that is silent, nor for one that is away', async () => {
  const clock = createDrivenClock()
  const silent = createHighestNumber(
    hubThatKnows(() => new Promise(() => {})),
    clock,
  )('default')
  await clock.advance(500)
  expect(await silent).toBe(0)
  const away = hubThatKnows(() => Promise.reject(new HubError('The hub is away.', { transient: true })))
  expect(await createHighestNumber(away, clock)('default')).toBe(0)
  expect(clock.waiting()).toBe(0)
})

it('does not hide an error of its own', async () => {
  const broken = hubThatKnows(() => Promise.reject(new TypeError('a mistake')))
  await expect(createHighestNumber(broken, createDrivenClock())('default')).rejects.toThrow('a mistake')
})
