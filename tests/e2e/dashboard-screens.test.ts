import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Workflow } from '@orchestrator/contract'

import { barriers } from './accessibility.ts'
import { NO_BROWSER, openBrowser, titled } from './browser.ts'
import { makeProduct, type RunningProduct } from './running-product.ts'
import { awaitReview, button, commentAt, expectNoSidewaysScroll, readDocument, reviewBar, visit } from './visitor.ts'

const PHONE = { width: 360, height: 740 }
/** High enough that the bar at the bottom covers nothing: half covered, a button counts as too small to be hit. */
const TALL = { width: 1440, height: 2600 }

/** A screen: where it is, and what is on it once it is ready. */
interface Screen {
  name: string
  path: string
  ready: (page: Page) => Promise<unknown>
}

const DIALOGS = [
  { verdict: /^Approve/, name: 'dialog-approve' },
  { verdict: /^Request changes/, name: 'dialog-changes' },
  { verdict: /^Stop/, name: 'dialog-stop' },
]

const heading = (name: string | RegExp) => (page: Page) => page.getByRole('heading', { level: 1, name }).waitFor()

describe.skipIf(NO_BROWSER)(titled('every screen'), () => {
  let product: Awaited<ReturnType<typeof makeProduct>>
  let browser: Browser
  let running: RunningProduct
  let url: string
  let screens: Screen[]

  const until = async (id: Workflow['id'], status: Workflow['status']) => {
    await expect.poll(async () => (await running.client.getWorkflow(id)).status, { timeout: 60_000 }).toBe(status)
  }

  beforeAll(async () => {
    product = await makeProduct({ DEMO_AGENT_PACE_MS: '0' })
    ;[browser, running] = await Promise.all([openBrowser(), product.start()])
    url = running.ready.url
  })
  afterAll(async () => {
    await browser?.close()
    await product?.stopAll()
    await product?.remove()
  })

  it('of an empty service is usable in both themes and on a phone', async () => {
    const visitor = await visit(browser, url, '/', { viewport: PHONE })
    const { page, complaints, close } = visitor
    await page.getByText('Your first specification').waitFor()
    const found = await barriers(visitor, 'first run')
    await expectNoSidewaysScroll(page, 'first run')
    for (const path of ['/workflows', '/features']) {
      await page.goto(url + path)
      await page
        .getByText(/^(No|Nothing)/)
        .first()
        .waitFor()
      found.push(...(await barriers(visitor, `empty ${path}`)))
      await expectNoSidewaysScroll(page, `empty ${path}`)
    }
    expect([...found, ...complaints]).toEqual([])
    await close()
  })

  it('has work on it for the tests below', async () => {
    const { client } = running
    const create = (feature_description: string) =>
      client.createWorkflow({ workflow_type: 'specify', feature_description })
    const waiting = await create('Add user authentication with OAuth2 for company accounts')
    const done = await create('Let an administrator export all orders of a month as a CSV file')
    const stopped = await create('Limit how often one API key may call us per minute')
    await Promise.all([waiting, done, stopped].map(({ id }) => until(id, 'waiting_approval')))
    const rejected = {
      approved: false,
      comments: [
        { path: `specs/${waiting.feature_id}/spec.md`, lines: { start: 1, end: 1 }, text: 'Name the providers' },
      ],
    }
    await client.advanceWorkflow(waiting.id, { trigger: 'human_rejected', phase_result: rejected })
    await client.advanceWorkflow(stopped.id, {
      trigger: 'human_rejected',
      phase_result: { approved: false, abort: true },
    })
    for (const phase of ['phase_1', 'phase_2']) {
      await expect.poll(async () => (await client.getWorkflow(done.id)).current_phase, { timeout: 30_000 }).toBe(phase)
      await until(done.id, 'waiting_approval')
      await client.advanceWorkflow(done.id, { trigger: 'human_approved', phase_result: { approved: true } })
    }
    await Promise.all([until(waiting.id, 'waiting_approval'), until(done.id, 'completed'), until(stopped.id, 'failed')])

    const at = (id: Workflow['id'], view = '') => `/workflows/${id}${view}`
    screens = [
      { name: 'inbox', path: '/', ready: (page) => page.locator('[data-row]').first().waitFor() },
      { name: 'workflows', path: '/workflows', ready: (page) => page.locator('[data-row]').nth(2).waitFor() },
      { name: 'nothing found', path: '/workflows?q=zzz', ready: (page) => page.getByText('Nothing matches').waitFor() },
      { name: 'features', path: '/features', ready: (page) => page.getByRole('link', { name: /CSV/ }).waitFor() },
      { name: 'feature', path: `/features/${done.feature_id}`, ready: heading(/CSV/) },
      { name: 'new', path: '/new', ready: heading('New workflow') },
      {
        name: 'new for a feature',
        path: `/new?feature_id=${done.feature_id}&type=plan`,
        ready: heading('New workflow'),
      },
      {
        name: 'settings',
        path: '/settings',
        ready: async (page) => {
          await page.getByText('Offline demo agent').first().waitFor()
          await page.getByText('Handing out work').waitFor()
          await button(page, 'New key').waitFor()
        },
      },
      { name: 'review', path: at(waiting.id), ready: readDocument },
      {
        name: 'compared',
        path: at(waiting.id, '?as=changes'),
        ready: (page) => page.locator('.document [data-changed]').first().waitFor(),
      },
      {
        name: 'activity',
        path: at(waiting.id, '?view=activity'),
        ready: (page) => page.getByRole('list', { name: 'What the agent said and did' }).waitFor(),
      },
      {
        name: 'history',
        path: at(waiting.id, '?view=history'),
        ready: (page) => page.getByText('Name the providers').waitFor(),
      },
      { name: 'completed', path: at(done.id), ready: readDocument },
      {
        name: 'stopped',
        path: at(stopped.id),
        ready: (page) => page.getByText('A reviewer stopped this workflow').waitFor(),
      },
      {
        name: 'missing',
        path: '/workflows/nowhere',
        ready: (page) => page.getByRole('heading', { level: 1 }).waitFor(),
      },
    ]
  })

  it('keeps nobody out in either theme, asks no other origin and complains of nothing', async () => {
    const visitor = await visit(browser, url, '/', { viewport: TALL })
    const { page, complaints, close } = visitor
    const found: string[] = []
    for (const { name, path, ready } of screens) {
      await page.goto(url + path)
      await ready(page)
      found.push(...(await barriers(visitor, name)))
    }
    // A workflow that is not there is asked for on purpose.
    expect([...found, ...complaints.filter((words) => !words.includes('status of 400'))]).toEqual([])
    await close()
  })

  it('keeps nobody out of its dialogs and drafts in either theme', async () => {
    const review = screens.find(({ name }) => name === 'review')!
    const visitor = await visit(browser, url, review.path, { viewport: TALL })
    const { page, complaints, close } = visitor
    await awaitReview(page, 2)
    await readDocument(page)
    const found: string[] = []
    const look = async (name: string) => found.push(...(await barriers(visitor, name)))
    await commentAt(page, /^FR-001/, 'Name the providers')
    await page
      .locator('.document [data-block]')
      .filter({ hasText: /^FR-002/ })
      .first()
      .hover()
    await button(page, 'Comment on this block').click()
    await look('writing-a-comment')
    await page.getByPlaceholder('Your answer').first().fill('Only one way')
    for (const { verdict, name } of DIALOGS) {
      await button(reviewBar(page), verdict).click()
      await look(name)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await page
      .locator('.document [data-block]')
      .filter({ hasText: /^FR-003/ })
      .first()
      .focus()
    await page.keyboard.press('s')
    await page.getByLabel('What it should say').waitFor()
    await look('suggesting')
    await button(page, 'Keyboard shortcuts').click()
    await look('help')
    await page.keyboard.press('Escape')
    await button(page, 'Raw').click()
    await look('raw')
    expect([...found, ...complaints]).toEqual([])
    await close()
  })

  it('fits a phone without sideways scrolling', async () => {
    const { page, keep, close } = await visit(browser, url, '/', { viewport: PHONE, hasTouch: true, isMobile: true })
    for (const { name, path, ready } of screens) {
      await page.goto(url + path)
      await ready(page)
      await keep(`${name.replaceAll(' ', '-')}-phone`)
      await expectNoSidewaysScroll(page, name)
    }
    await close()
  })

  it.each([
    { path: '/docs', ready: '.opblock' },
    { path: '/redoc', ready: 'h1' },
  ])('$path asks no other origin and complains of nothing', async ({ path, ready }) => {
    const { page, complaints, close } = await visit(browser, url, path)
    await page.locator(ready).first().waitFor()
    expect(complaints).toEqual([])
    await close()
  })
})
