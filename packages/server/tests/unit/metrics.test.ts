import { expect, it } from 'vitest'

import { createMetrics } from '../../src/metrics.ts'

const linesOf = async (metrics: ReturnType<typeof createMetrics>) =>
  (await metrics.print()).text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

it('prints what was noted before anybody asked, and after', async () => {
  const metrics = createMetrics([{ name: 'steps_total', help: 'Steps', labels: ['kind'] }], [])
  metrics.note('steps_total', { kind: 'early' })
  metrics.note('steps_total', { kind: 'early' }, 2)
  expect(await linesOf(metrics)).toEqual(['steps_total{kind="early"} 3'])
  metrics.note('steps_total', { kind: 'late' })
  expect(await linesOf(metrics)).toEqual(['steps_total{kind="early"} 3', 'steps_total{kind="late"} 1'])
  expect((await metrics.print()).content_type).toContain('text/plain')
})

it('loses nothing of a flood before anybody asked', async () => {
  const metrics = createMetrics([{ name: 'steps_total', help: 'Steps' }], [])
  for (let count = 0; count < 2_500; count++) metrics.note('steps_total', {})
  expect(await linesOf(metrics)).toEqual(['steps_total 2500'])
})

it('sorts into buckets', async () => {
  const metrics = createMetrics([{ name: 'seconds', help: 'Seconds', buckets: [1, 10] }], [])
  for (const value of [0.5, 5, 50]) metrics.note('seconds', {}, value)
  expect(await linesOf(metrics)).toEqual([
    'seconds_bucket{le="1"} 1',
    'seconds_bucket{le="10"} 2',
    'seconds_bucket{le="+Inf"} 3',
    'seconds_sum 55.5',
    'seconds_count 3',
  ])
})

it('looks up what is only looked at when somebody asks, each time anew', async () => {
  let waiting = 3
  const metrics = createMetrics(
    [],
    [
      { name: 'waiting', help: 'Waiting', read: async () => [{ value: waiting }] },
      {
        name: 'cpu_total',
        help: 'CPU',
        kind: 'counter',
        labels: ['core'],
        read: () => [{ labels: { core: '0' }, value: 7 }],
      },
    ],
  )
  expect(await linesOf(metrics)).toEqual(['waiting 3', 'cpu_total{core="0"} 7'])
  waiting = 0
  expect(await linesOf(metrics)).toEqual(['waiting 0', 'cpu_total{core="0"} 7'])
})

it('counts as one what has too many names, so that nobody fills the memory', async () => {
  const metrics = createMetrics([{ name: 'steps_total', help: 'Steps', labels: ['agent'] }], [])
  for (let agent = 0; agent < 150; agent++) metrics.note('steps_total', { agent: `agent-${agent}` })
  const lines = await linesOf(metrics)
  expect(lines).toHaveLength(101)
  expect(lines).toContain('steps_total{agent="other"} 50')
})
