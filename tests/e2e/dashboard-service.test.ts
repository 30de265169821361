import { beforeEach, describe, expect, it } from 'vitest'

import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { succeed } from '../../services/orchestrator/tests/plain-hub.ts'
import { leave } from './attempt-files.ts'
import { NO_BROWSER, titled } from './browser.ts'
import { servePage } from './served-page.ts'
import { awaitReview, button } from './visitor.ts'

const HOUR_MS = 60 * 60 * 1000

describe.skipIf(NO_BROWSER)(titled('the page and its service'), () => {
  const served = servePage()
  beforeEach(async () => {
    served.hub.usual = leave(served.hub, { 'specs/001-x/spec.md': '# Feature\n\nIt works.\n' })
    await served.serve()
  })

  it('says that the service is slow, and goes on when it answers', async () => {
    const id = await served.reviewable()
    const { page, keep, close } = await served.visit()
    await page.locator('[data-row]').first().waitFor()
    const slow = Promise.withResolvers<void>()
    await page.route(`**/workflows/${id}/attempts`, async (route) => {
      await slow.promise
      await route.continue()
    })
    await page.locator('[data-row]').first().click()
    await page.getByText('The server is slow to answer. Still waiting.').waitFor()
    await keep('slow')
    slow.resolve()
    await awaitReview(page, 1)
    await page.getByText('The server is slow to answer').waitFor({ state: 'detached' })
    await close()
  })

  it('shows what happened between its first reading and the opening of its stream', async () => {
    const id = await served.reviewable()
    const { page, close } = await served.visit('/settings')
    const opened = Promise.withResolvers<void>()
    await page.route(
      ({ pathname }) => pathname === '/events',
      async (route) => {
        await opened.promise
        await route.continue()
      },
    )
    await page.goto(`${served.service.url}/workflows/${id}`)
    await awaitReview(page, 1)
    await served.rework(id)
    await awaitReview(page, 1)
    opened.resolve()
    await button(page, 'Go to Write, attempt 2').click()
    await awaitReview(page, 2)
    await close()
  })

  it('offers to be loaded anew when the service has come back with another one', async () => {
    await served.service.close()
    await served.serve({ env: { PORT: String(await freePort()) } })
    const id = await served.reviewable()
    const { page, keep, close } = await served.visit(`/workflows/${id}`)
    await awaitReview(page, 1)
    // What an upgrade does to an open page: its stream breaks, and another script is served from then on.
    await page.route(`${served.service.url}/`, (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: '<script type="module" src="/assets/index-newer123.js"></script>',
      }),
    )
    const { folder, url } = served.service
    await served.service.stop()
    await page.getByText('Connection lost.').waitFor()
    await served.serve({ folder, env: { PORT: new URL(url).port } })
    await page.getByText('The server has a newer version of this page. What you wrote is kept.').waitFor()
    await keep('newer-page')
    await page.unroute(`${served.service.url}/`)
    await button(page, 'Reload').click()
    await page.getByText('The server has a newer version').waitFor({ state: 'detached' })
    await awaitReview(page, 1)
    await close()
  })

  it.each([
    { words: 'hours behind', skew_ms: -3 * HOUR_MS },
    { words: 'hours ahead', skew_ms: 3 * HOUR_MS },
  ])('tells ages by the clock of the service, though its own is $words', async ({ skew_ms }) => {
    await served.reviewable()
    const { page, close } = await served.visit('/settings')
    await page.clock.install({ time: Date.now() + skew_ms })
    await page.goto(`${served.service.url}/`)
    const age = page.locator('[data-row] time').first()
    await age.waitFor()
    await page.clock.runFor(20_000)
    await expect.poll(() => age.innerText()).toMatch(/^(now|[1-3] min)$/)
    await close()
  })

  it('tells outside of it that something waits, only when asked to, and leads there without deciding', async () => {
    const { page, close } = await served.visit('/settings')
    // What the operating system would show is noted; a page in a test is always in front.
    await page.addInitScript(() => {
      const shown: { title: string; body: string | undefined }[] = []
      class Noted extends EventTarget {
        static permission = 'default'
        static requestPermission = async () => (Noted.permission = 'granted')
        constructor(title: string, options?: NotificationOptions) {
          super()
          shown.push({ title, body: options?.body })
          addEventListener('open-notice', () => this.dispatchEvent(new Event('click')), { once: true })
        }
        close() {}
      }
      Object.assign(window, { Notification: Noted, shown })
      document.hasFocus = () => false
    })
    await page.reload()
    const shown = () => page.evaluate(() => (window as unknown as { shown: object[] }).shown)
    await page.getByText('All systems working').waitFor()
    await served.reviewable()
    await page.getByRole('link', { name: 'Inbox 1 need review' }).waitFor()
    expect(await shown()).toEqual([])

    const choice = page.getByLabel('Desktop notifications')
    await choice.click()
    await expect.poll(() => choice.isChecked()).toBe(true)
    await served.service.create({ feature_description: 'Limit how often one key may call us' })
    await expect
      .poll(shown)
      .toEqual([
        { title: 'Waiting for your review', body: 'Limit how often one key may call us\nWrite the specification' },
      ])
    await expect.poll(() => page.title()).toMatch(/^\(2\)/)
    await page.evaluate(() => dispatchEvent(new Event('open-notice')))
    await page.getByRole('heading', { name: 'Limit how often one key may call us' }).waitFor()
    await awaitReview(page, 1)
    await close()
  })

  it('holds the queue back and lets it go on', async () => {
    const { page, keep, close } = await served.visit('/settings')
    await page.getByPlaceholder('Why (optional)').fill('a new model')
    await button(page, 'Pause').click()
    await page.getByText(/Paused by local user .*: a new model\. What runs goes on\./).waitFor()
    await keep('queue-paused')
    expect((await served.service.request('GET', '/queue')).body).toMatchObject({
      state: 'paused',
      reason: 'a new model',
    })
    await button(page, 'Resume').click()
    await page.getByText('Handing out work').waitFor()
    await close()
  })

  it('says what waits for money and why, and lets it go on', async () => {
    await served.service.close()
    const usage = { input_tokens: 10, output_tokens: 10, cost_usd: 5 }
    served.hub.usual = succeed({ data: { usage } })
    await served.serve({ env: { DAILY_BUDGET_USD: '5' } })
    await served.reviewable()
    const { id } = await served.service.create({ feature_description: 'Limit how often one key may call us' })
    const { page, keep, close } = await served.visit()
    await page.getByText(/^Waits: \$5\.00 of \$5\.00 for today/).waitFor()
    await keep('budget-inbox')
    await page.goto(`${served.service.url}/settings`)
    await page.getByText('What runs goes on, and no further phase begins.').waitFor()
    await page.getByPlaceholder('Why', { exact: true }).fill('worth it')
    await keep('budget-paused')
    await button(page, 'Lift').click()
    await page.getByText('Lifted by local: worth it').waitFor()
    await served.service.until(id, 'waiting_approval')
    await close()
  })
})
