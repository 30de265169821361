import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { NO_BROWSER, openBrowser, titled } from './browser.ts'
import { makeProduct } from './running-product.ts'
import { awaitReview, button, commentAt, decide, readDocument, reviewBar, visit } from './visitor.ts'

describe.skipIf(NO_BROWSER)(titled('a newcomer in a browser'), () => {
  let product: Awaited<ReturnType<typeof makeProduct>>
  let browser: Browser
  let url: string

  beforeAll(async () => {
    product = await makeProduct({ DEMO_AGENT_PACE_MS: '250' })
    ;[
      browser,
      {
        ready: { url },
      },
    ] = await Promise.all([openBrowser(), product.start()])
  })
  afterAll(async () => {
    await browser?.close()
    await product?.stopAll()
    await product?.remove()
  })

  it('comes from an empty page to a reviewed, reworked and approved specification, and on to the plan', async () => {
    const began = Date.now()
    const { page, complaints, keep, close } = await visit(browser, url)
    await page.getByText('Your first specification, in three minutes').waitFor()
    await keep('first-run')
    await page.evaluate(() => (document.documentElement.dataset['visit'] = 'one'))

    await page.getByRole('link', { name: 'Describe your own feature' }).click()
    await page.getByLabel('What is to be built?').fill('Add user authentication with OAuth2 for company accounts')
    await keep('new')
    await button(page, 'Start Specify').click()

    const activity = page.getByRole('list', { name: 'What the agent said and did' })
    await activity.getByText('Write specs/').first().waitFor()
    await keep('working')
    await awaitReview(page, 1)
    await expect.poll(() => readDocument(page)).toMatch(/OAuth2/)
    await expect.poll(() => page.title()).toMatch(/^\(1\) Specify: Add user authentication with OAuth2/)
    await keep('review')

    await commentAt(page, /^FR-001/, 'Mention account lockout after five failed attempts')
    await reviewBar(page).getByText('1 comment drafted').waitFor()
    await decide(page, 'Request changes')
    await awaitReview(page, 2)
    expect(Date.now() - began).toBeLessThan(180_000)
    await page.getByRole('heading', { name: 'Last round' }).waitFor()
    const fate = page.getByRole('article').filter({ hasText: 'Mention account lockout' })
    await expect.poll(() => fate.innerText()).toMatch(/Addressed/)
    await expect.poll(() => readDocument(page)).toMatch(/lockout/i)
    await fate.getByText('What changed').click()
    await fate
      .locator('ins')
      .filter({ hasText: /lockout/i })
      .first()
      .waitFor()
    await keep('reworked')
    await page.keyboard.press('d')
    await page
      .locator('.document ins')
      .filter({ hasText: /lockout/i })
      .first()
      .waitFor()
    await expect.poll(() => page.getByLabel('Compare with attempt').inputValue()).not.toBe('')
    await keep('compared')
    await page.keyboard.press('n')
    await page.locator(':focus[data-changed=""]').waitFor()
    await page.keyboard.press('d')
    await page.locator('.document ins').first().waitFor({ state: 'detached' })

    await decide(page, 'Approve')
    await awaitReview(page, 1)
    await decide(page, 'Approve')
    await page.getByText('Specify is completed').waitFor()
    await keep('completed')
    await page.getByRole('tab', { name: 'History' }).click()
    await page
      .getByRole('tabpanel')
      .getByText(/requested changes/i)
      .first()
      .waitFor()
    await keep('history')

    await button(page, 'Start Plan').click()
    await page.getByRole('heading', { level: 1 }).waitFor()
    await awaitReview(page, 1)
    await expect.poll(() => page.title()).toMatch(/Plan: /)
    await expect.poll(() => readDocument(page)).toMatch(/plan/i)
    await keep('plan')

    expect(await page.evaluate(() => document.documentElement.dataset['visit'])).toBe('one')
    expect(complaints).toEqual([])
    await close()
  })

  it('does all of it with the keyboard alone', async () => {
    const { page, complaints, close } = await visit(browser, url)
    const { keyboard } = page
    const tabTo = async (name: string) => {
      const focused = page.locator(':focus')
      for (let presses = 0; presses < 40; presses++) {
        await keyboard.press('Tab')
        const label = await focused.evaluate((element) =>
          element instanceof HTMLTextAreaElement ? element.labels[0]?.textContent : element.textContent,
        )
        if (label?.startsWith(name) === true) return
      }
      throw new Error(`${name} cannot be reached with Tab`)
    }
    await page.getByRole('heading', { name: 'Inbox' }).waitFor()
    await keyboard.press('n')
    await page.getByRole('heading', { name: 'New workflow' }).waitFor()
    await tabTo('What is to be built?')
    await keyboard.type('Let customers reset a forgotten password by e-mail')
    await keyboard.press('Control+Enter')
    await page.getByRole('heading', { name: /^Let customers reset/ }).waitFor()
    const address = page.url()

    await keyboard.type('gi')
    await page.getByRole('heading', { name: 'Inbox' }).waitFor()
    await page.getByRole('link', { name: /Needs review.*Let customers reset/ }).waitFor()
    await expect
      .poll(async () => {
        await keyboard.press('j')
        return page.locator(':focus').innerText()
      })
      .toContain('Let customers reset')
    await keyboard.press('Enter')
    await page.waitForURL(address)
    await awaitReview(page, 1)

    await readDocument(page)
    await keyboard.press('j')
    await keyboard.press('j')
    await keyboard.press('c')
    await page.getByPlaceholder('What should be different?').waitFor()
    await keyboard.type('Say how long the link in the e-mail works')
    await keyboard.press('Control+Enter')
    await reviewBar(page).getByText('1 comment drafted').waitFor()
    await keyboard.press('r')
    await page.getByRole('dialog', { name: 'Request changes' }).waitFor()
    await keyboard.press('Control+Enter')
    await awaitReview(page, 2)

    await keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await keyboard.press('Escape')
    await keyboard.press('a')
    await page.getByRole('dialog', { name: 'Approve' }).waitFor()
    await keyboard.press('Enter')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await awaitReview(page, 1)
    await keyboard.press('a')
    await page.getByRole('dialog', { name: 'Approve' }).waitFor()
    await keyboard.press('Enter')
    await page.getByText('Specify is completed').waitFor()
    expect(complaints).toEqual([])
    await close()
  })
})
