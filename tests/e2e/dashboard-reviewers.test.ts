import { createHash, randomBytes } from 'node:crypto'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { createKeyStore } from '../../services/orchestrator/src/db/key-store.ts'
import { openSession, type Session } from '../../services/orchestrator/src/db/session.ts'
import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { NO_BROWSER, openBrowser, titled } from './browser.ts'
import { makeProduct } from './running-product.ts'
import { awaitReview, button, commentAt, decide, reviewBar, visit } from './visitor.ts'

/** A key of a reviewer, in a database that nobody serves yet. */
async function insertKey(session: Session, name: string): Promise<string> {
  const id = randomBytes(6).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const secret_sha256 = createHash('sha256').update(secret).digest('hex')
  const created_at = new Date().toISOString()
  const record = {
    id,
    name,
    role: 'reviewer' as const,
    secret_sha256,
    created_at,
    expires_at: null,
    workspaces: null,
    revoked_at: null,
  }
  await createKeyStore(session).insertKey(record)
  return `ok_${id}_${secret}`
}

/** A browser that has signed in with `key` before. */
const signedIn = (key: string, url: string): BrowserContextOptions => {
  const { hostname } = new URL(url)
  const cookie = {
    domain: hostname,
    path: '/',
    expires: -1,
    httpOnly: true,
    secure: false,
    sameSite: 'Strict' as const,
  }
  return { storageState: { cookies: [{ name: 'orchestrator_session', value: key, ...cookie }], origins: [] } }
}

describe.skipIf(NO_BROWSER)(titled('reviewers'), () => {
  let product: Awaited<ReturnType<typeof makeProduct>>
  let browser: Browser
  const keys = { ana: '', ben: '' }

  beforeAll(async () => {
    product = await makeProduct({ PORT: String(await freePort()), DEMO_AGENT_PACE_MS: '0' })
    const session = await openSession({ url: product.env['DATABASE_URL']!, onFatal: () => {} })
    keys.ana = await insertKey(session, 'ana')
    keys.ben = await insertKey(session, 'ben')
    await session.close()
    browser = await openBrowser()
  })
  afterEach(() => product.stopAll())
  afterAll(async () => {
    await browser?.close()
    await product?.remove()
  })

  it('at the same time learn who decided what, and lose no draft', async () => {
    const { client, ready } = await product.start()
    const { url } = ready
    const { id } = await client.createWorkflow({
      workflow_type: 'specify',
      feature_description: 'Let customers reset a forgotten password by e-mail',
    })
    const path = `/workflows/${id}`
    const ana = await visit(browser, url, path, signedIn(keys.ana, url))
    const ben = await visit(browser, url, path, signedIn(keys.ben, url))
    await Promise.all([awaitReview(ana.page, 1), awaitReview(ben.page, 1)])
    await commentAt(ben.page, /^FR-001/, 'Say how long the link works')
    await commentAt(ana.page, /^FR-002/, 'Name what is logged')
    await decide(ana.page, 'Request changes')

    const told = ben.page.getByText(/ana decided on it at .*Your drafted comments come along/)
    await told.waitFor()
    // In sight, however far down Ben is.
    const inSight = (words: Element) => {
      const { top, bottom } = words.getBoundingClientRect()
      return { top: top >= 0, bottom: bottom <= innerHeight }
    }
    await expect.poll(() => told.evaluate(inSight)).toEqual({ top: true, bottom: true })
    await expect.poll(() => ben.page.getByText('Say how long the link works').count()).toBe(1)
    await ben.keep('overtaken')
    await button(ben.page, /^Go to Write, attempt 2/).click()
    await awaitReview(ben.page, 2)
    await ben.page.getByText('Say how long the link works').waitFor()
    expect([...ana.complaints, ...ben.complaints]).toEqual([])

    // From here on nothing reaches Ben: he decides on what he still sees.
    await ben.page.route('**/events*', (route) => route.abort())
    await ben.page.reload()
    await awaitReview(ben.page, 2)
    await decide(ana.page, 'Approve')
    await awaitReview(ana.page, 1)
    await reviewBar(ben.page).getByText('Attempt 2 needs your review').waitFor()
    await button(reviewBar(ben.page), /^Request changes/).click()
    await button(ben.page.getByRole('dialog'), 'Request changes').click()
    const refusal = ben.page.getByRole('alert')
    await refusal.getByText('Nothing was decided in your name, and your comments are kept.').waitFor()
    await ben.keep('too-late')
    await expect.poll(() => ben.page.getByText('Say how long the link works').count()).toBe(1)

    const { items } = await client.listHistory(id)
    expect(
      items.filter(({ trigger }) => trigger.startsWith('human')).map(({ actor, trigger }) => [actor, trigger]),
    ).toEqual([
      ['ana', 'human_rejected'],
      ['ana', 'human_approved'],
    ])
    await Promise.all([ana.close(), ben.close()])
  })

  it('lose no draft to a reload and a restart of the service, and are told while it is away', async () => {
    const before = await product.start()
    const { id } = await before.client.createWorkflow({
      workflow_type: 'specify',
      feature_description: 'Export the monthly report as a spreadsheet',
    })
    const { page, keep, close } = await visit(browser, before.ready.url, `/workflows/${id}`)
    await awaitReview(page, 1)
    await commentAt(page, /^FR-001/, 'Which months')
    await page.reload()
    await page.getByText('Which months').waitFor()
    await reviewBar(page).getByText('1 comment drafted').waitFor()

    await page
      .locator('.document [data-block]')
      .filter({ hasText: /^FR-002/ })
      .first()
      .hover()
    await button(page, 'Comment on this block').click()
    await page.getByPlaceholder('What should be different?').fill('Half a sente')
    await product.killAll(before.started)
    const banner = page.getByText('Connection lost.')
    await banner.waitFor()
    await keep('connection-lost')
    await page.getByPlaceholder('What should be different?').fill('Half a sentence, and the rest')
    await product.start()
    await banner.waitFor({ state: 'detached' })
    await reviewBar(page).getByText('2 comments drafted').waitFor()
    await decide(page, 'Request changes')
    await awaitReview(page, 2)

    const [attempt] = (await before.client.listAttempts(id)).items
    expect(attempt?.review?.threads.map(({ text }) => text)).toEqual(['Which months', 'Half a sentence, and the rest'])
    await close()
  })
})
