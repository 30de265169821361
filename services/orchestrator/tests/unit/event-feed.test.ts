import { setImmediate as turn } from 'node:timers/promises'

import type { StreamEvent, WorkflowId } from '@orchestrator/contract'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { systemClock } from '../../src/core/clock.ts'
import { EventFeed, type Subscription } from '../../src/core/event-feed.ts'
import type { WorkflowStore } from '../../src/core/ports.ts'
import type { Session } from '../../src/db/session.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { openMemoryStore } from '../memory-session.ts'

const workflows = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}` as WorkflowId)
const [first = workflows[0]!, second = workflows[0]!] = workflows

const unexpected = (error: unknown) => expect.unreachable(String(error))

let session: Session
let store: WorkflowStore

beforeEach(async () => {
  ;({ session, store } = await openMemoryStore())
})
afterEach(() => session.close())

/** One commit with an event of each of these workflows. */
async function commit(...ids: WorkflowId[]): Promise<void> {
  await store.write(async (tx) => {
    for (const workflow_id of ids) {
      await tx.appendEvent({
        type: 'attempt.state',
        workflow_id,
        created_at: '2026-01-31T12:00:00.000Z',
        data: {
          attempt_id: first as never,
          phase: 'phase_1',
          number: 1,
          state: 'running',
          reason: null,
          next_retry_at: null,
        },
      })
    }
  })
}

/** Follows the feed into a list. */
function follow(feed: EventFeed, o: Omit<Subscription, 'signal'>, pause = async () => {}) {
  const leaving = new AbortController()
  const seen: StreamEvent[] = []
  const done = (async () => {
    for await (const event of feed.subscribe({ ...o, signal: leaving.signal })) {
      seen.push(event)
      await pause()
    }
  })()
  return {
    sequences: () => seen.map((event) => event.sequence),
    async leave() {
      leaving.abort()
      await done
    },
  }
}

async function stored(after: number, workflow_id?: WorkflowId): Promise<number[]> {
  const events = await store.listEvents({ after, limit: 1_000_000, ...(workflow_id !== undefined && { workflow_id }) })
  return events.map((event) => event.sequence)
}

const ids = fc.constantFrom(...workflows)
interface Step {
  kind: 'commit' | 'subscribe' | 'turn'
  ids?: WorkflowId[]
  back?: number
  workflow_id?: WorkflowId | undefined
  slow?: boolean
}
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const), ids: fc.array(ids, { maxLength: 5 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('subscribe' as const),
        back: fc.nat(20),
        workflow_id: fc.option(ids, { nil: undefined }),
        slow: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  ),
  { maxLength: 40 },
)

it('misses nothing, repeats nothing and keeps the order, however commits and listeners meet', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const feed = new EventFeed(store, systemClock, unexpected)
      const followers: { after: number; workflow_id: WorkflowId | undefined; at: ReturnType<typeof follow> }[] = []
      const writing: Promise<void>[] = []
      const does = {
        commit: (step: Step) => void writing.push(commit(...(step.ids ?? []))),
        turn: () => turn(),
        subscribe: async (step: Step) => {
          const after = Math.max(0, (await store.lastSequence()) - (step.back ?? 0))
          const { workflow_id } = step
          const scope = workflow_id === undefined ? {} : { workflow_id }
          const at = follow(feed, { after, ...scope }, [async () => {}, () => turn()][Number(step.slow)])
          followers.push({ after, workflow_id, at })
        },
      }
      for (const step of list) await does[step.kind](step)
      await Promise.all(writing)
      for (const { after, workflow_id, at } of followers) {
        const expected = await stored(after, workflow_id)
        await expect.poll(at.sequences, { interval: 2 }).toEqual(expected)
        await at.leave()
      }
      await feed.close()
    }),
    { numRuns: 60 },
  )
})

it('tells everything that is committed by many at once, in hundreds of commits', async () => {
  const feed = new EventFeed(store, systemClock, unexpected)
  const all = follow(feed, { after: 0 })
  const one = follow(feed, { after: 0, workflow_id: second })
  await Promise.all(Array.from({ length: 700 }, (_, i) => commit(workflows[i % 3]!, workflows[(i + 1) % 3]!)))
  await expect.poll(all.sequences, { interval: 5 }).toEqual(await stored(0))
  await expect.poll(one.sequences, { interval: 5 }).toEqual(await stored(0, second))
  await Promise.all([all.leave(), one.leave()])
  await feed.close()
})

it('begins with what comes next when told of no place', async () => {
  await commit(first, first)
  const feed = new EventFeed(store, systemClock, unexpected)
  const next = follow(feed, { after: undefined })
  await turn()
  await turn()
  await commit(first)
  await expect.poll(next.sequences).toEqual([3])
  await next.leave()
  await feed.close()
})

it('reads far back in pages, through what others committed', async () => {
  await commit(...Array.from({ length: 1200 }, (_, i) => workflows[i % 3]!))
  const feed = new EventFeed(store, systemClock, unexpected)
  const all = follow(feed, { after: 0 })
  const one = follow(feed, { after: 0, workflow_id: first })
  await expect.poll(() => all.sequences().length).toBe(1200)
  await expect.poll(() => one.sequences().length).toBe(400)
  await Promise.all([all.leave(), one.leave()])
  await feed.close()
})

it('goes on with what comes for a listener that names a place beyond the end', async () => {
  await commit(first)
  const feed = new EventFeed(store, systemClock, unexpected)
  const ahead = follow(feed, { after: 1_000_000 })
  await turn()
  await turn()
  await commit(first)
  await expect.poll(ahead.sequences).toEqual([2])
  await ahead.leave()
  await feed.close()
})

it('ends a listener that leaves while its place is being read', async () => {
  const feed = new EventFeed(store, systemClock, unexpected)
  const leaving = new AbortController()
  const step = feed.subscribe({ after: 0, signal: leaving.signal }).next()
  leaving.abort()
  expect(await step).toEqual({ done: true, value: undefined })
  await feed.close()
})

it('ends a listener that leaves while a page is read for it', async () => {
  await commit(first)
  const leaving = new AbortController()
  const slow: WorkflowStore = {
    ...store,
    async listEvents() {
      leaving.abort()
      return []
    },
  }
  const feed = new EventFeed(slow, systemClock, unexpected)
  const events = feed.subscribe({ after: 0, workflow_id: first, signal: leaving.signal })
  expect(await events.next()).toEqual({ done: true, value: undefined })
  await feed.close()
})

it('ends a listener that leaves in the middle of a page', async () => {
  await commit(first, first, first)
  const feed = new EventFeed(store, systemClock, unexpected)
  const leaving = new AbortController()
  const events = feed.subscribe({ after: 0, signal: leaving.signal })
  await events.next()
  leaving.abort()
  expect(await events.next()).toEqual({ done: true, value: undefined })
  await feed.close()
})

it('lets nothing pass when many arrive at once and learn of the end one after the other', async () => {
  await commit(first)
  const late = Promise.withResolvers<void>()
  let asked = 0
  let tell = () => {}
  // As with replicas: the end may be known before it is told.
  const shared: WorkflowStore = {
    ...store,
    onEvents: (listener) => {
      tell = listener
      return () => {}
    },
    async lastSequence() {
      if (asked++ > 0) await late.promise
      return store.lastSequence()
    },
  }
  const feed = new EventFeed(shared, systemClock, unexpected)
  const followers = [follow(feed, { after: undefined }), follow(feed, { after: undefined })] as const
  const [early] = followers
  await turn()
  await commit(first)
  tell()
  await expect.poll(early.sequences).toEqual([2])
  await commit(first)
  late.resolve()
  await turn()
  await commit(first)
  tell()
  await expect.poll(early.sequences).toEqual([2, 3, 4])
  await Promise.all(followers.map((follower) => follower.leave()))
  await feed.close()
})

it('does a read that failed again a little later, though nothing more is committed', async () => {
  const clock = createDrivenClock()
  const errors: unknown[] = []
  let broken = false
  const flaky: WorkflowStore = {
    ...store,
    listEvents: (o) => (broken ? Promise.reject(new Error('the disk failed')) : store.listEvents(o)),
  }
  const feed = new EventFeed(flaky, clock, (error) => errors.push(error))
  const all = follow(feed, { after: 0 })
  await commit(first)
  await expect.poll(all.sequences).toEqual([1])
  broken = true
  await commit(first)
  await expect.poll(() => errors).toHaveLength(1)
  await clock.advance(1000)
  await expect.poll(() => errors).toHaveLength(2)
  broken = false
  await clock.advance(1000)
  await expect.poll(all.sequences).toEqual([1, 2])
  broken = true
  await commit(first)
  await expect.poll(() => errors).toHaveLength(3)
  await all.leave()
  await feed.close()
  expect(clock.waiting()).toBe(0)
})

it('is told nothing more once it is closed', async () => {
  const feed = new EventFeed(store, systemClock, unexpected)
  const all = follow(feed, { after: 0 })
  await turn()
  await feed.close()
  await commit(first)
  await turn()
  expect(all.sequences()).toEqual([])
  await all.leave()
})
