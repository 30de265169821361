import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { eventOf, makeProduct, npmStart } from './running-product.ts'

describe('npm start', () => {
  let product: Awaited<ReturnType<typeof makeProduct>>

  beforeAll(async () => {
    product = await makeProduct()
  })
  afterEach(() => product.stopAll())
  afterAll(() => product.remove())

  it('takes the seed’s first line to a specification that waits for review, and goes on after Ctrl-C', async () => {
    const first = await product.start()
    expect(first.ready).toMatchObject({ agents: { default: 'demo' }, database: `${product.folder}/orchestrator.db` })
    const { id } = await first.client.createWorkflow({
      workflow_type: 'specify',
      feature_description: 'Add user authentication with OAuth2',
      context: { priority: 'P1' },
    })
    await expect
      .poll(async () => (await first.client.getWorkflow(id)).status, { timeout: 30_000 })
      .toBe('waiting_approval')
    const [attempt] = (await first.client.listAttempts(id)).items
    const [artifact] = attempt!.artifacts
    const text = new TextDecoder().decode(await first.client.getArtifact(artifact!.digest))
    expect(text).toMatch(/OAuth2/)

    const began = performance.now()
    process.kill(-first.started.process.pid!, 'SIGINT')
    // Its code is npm's affair: the shell between npm and us may say instead that it was interrupted.
    await first.started.exited
    expect(eventOf(first.started, 'stopped')).toBeDefined()
    // Its patience is 4.5 s; the rest is for a loaded machine.
    expect(performance.now() - began).toBeLessThan(20_000)

    const second = await product.start()
    await expect(second.client.getWorkflow(id)).resolves.toMatchObject({ status: 'waiting_approval' })
    await second.client.advanceWorkflow(id, { trigger: 'human_approved', phase_result: { approved: true } })
    await expect
      .poll(async () => (await second.client.getWorkflow(id)).current_phase, { timeout: 30_000 })
      .toBe('phase_2')
  })

  it('says in one line that a port is taken, and ends with 1', async () => {
    const { ready } = await product.start()
    const { port } = new URL(ready.url)
    const other = npmStart({
      ...product.env,
      PORT: port,
      DATABASE_URL: 'sqlite:///:memory:',
      HUB_DATABASE_URL: 'sqlite:///:memory:',
    })
    product.watch(other)
    await expect(other.exited).resolves.toBe(1)
    const words = other.lines.map((line) => JSON.parse(line) as { type: string; text?: string })
    expect(words.filter((word) => word.type === 'line')).toEqual([
      { type: 'line', service: 'orchestrator', text: expect.stringContaining('PORT') },
    ])
  })
})
