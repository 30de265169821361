import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

import { ROOT } from './running-product.ts'

const OUTPUT = join(ROOT, 'test-output', 'dashboard')

/** A person in front of a browser of their own. */
export interface Visitor {
  page: Page
  /** What the browser complained of, and every request that left the origin. */
  complaints: string[]
  /** Keeps what is on screen as test-output/dashboard/<name>.jpg. */
  keep(name: string): Promise<void>
  close(): Promise<void>
}

const DESKTOP = { width: 1440, height: 900 }
/** Long enough for a loaded machine; what is waited for comes within a second or two. */
const PATIENCE_MS = 30_000

/** Opens `path` of the product in a fresh context: no cookies, no storage, no cache. */
export async function visit(
  browser: Browser,
  url: string,
  path = '/',
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', reducedMotion: 'reduce', ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(`uncaught ${error.message}`))
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (protocol !== 'data:' && protocol !== 'blob:' && origin !== new URL(url).origin)
      complaints.push(`a request to ${request.url()}`)
  })
  await page.goto(url + path)
  return {
    page,
    complaints,
    async keep(name) {
      await mkdir(OUTPUT, { recursive: true })
      await page.screenshot({ path: join(OUTPUT, `${name}.jpg`), quality: 80, animations: 'disabled' })
    },
    close: () => context.close(),
  }
}

/** The rendered document, as soon as it is on screen. */
export async function readDocument(page: Page): Promise<string> {
  const block = page.locator('.document [data-block]').first()
  await block.waitFor()
  return page.locator('.document').innerText()
}

export const button = (within: Page | Locator, name: string | RegExp): Locator => within.getByRole('button', { name })

/** The bar at the bottom of an attempt that waits for a verdict. */
export const reviewBar = (page: Page): Locator => page.getByRole('region', { name: 'Review', exact: true })

/** Writes a comment at the block that holds `text`, as a person with a mouse does. */
export async function commentAt(page: Page, text: string | RegExp, words: string): Promise<void> {
  await page.locator('.document [data-block]').filter({ hasText: text }).first().hover()
  await button(page, 'Comment on this block').click()
  await page.getByPlaceholder('What should be different?').fill(words)
  await button(page, 'Add to review').click()
}

/** Opens the dialog of a verdict and sends it. */
export async function decide(page: Page, verdict: 'Approve' | 'Request changes'): Promise<void> {
  await button(reviewBar(page), new RegExp(`^${verdict}`)).click()
  await button(page.getByRole('dialog'), verdict).click()
}

/** Waits until that attempt is put before the reviewer. */
export async function awaitReview(page: Page, attempt: number): Promise<void> {
  await reviewBar(page).getByText(`Attempt ${attempt} needs your review`).waitFor()
}

/** The page is as wide as the window: nothing has to be scrolled sideways. */
export async function expectNoSidewaysScroll(page: Page, what: string): Promise<void> {
  const [content, frame] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ])
  expect([what, content]).toEqual([what, frame])
}
