import type { Page } from 'playwright-core'

/** The value below which `share` of them lie, by nearest rank. */
export const quantile = (values: number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.ceil(values.length * share) - 1] ?? Number.NaN

/** Set by `npm run test:budgets`: the first value counts, on a machine that does nothing else. */
const IS_STRICT = process.env['PAGE_BUDGETS'] === 'strict'

/**
 * Measures until one value keeps within the budget, or so often. In `npm test` other files run at the same time, and what
 * they add is not the page's.
 */
export async function measureUntil(budget: number, most: number, measure: () => Promise<number>): Promise<number[]> {
  const values: number[] = []
  do values.push(await measure())
  while (!IS_STRICT && values.length < most && Math.min(...values) > budget)
  return values
}

export const countNodes = (page: Page): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length)

/** Milliseconds from the navigation to the first content on the screen. */
export const firstPaint = (page: Page): Promise<number> =>
  page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN)

/** Milliseconds from the next click until the workflow on screen no longer waits for a review. */
export const timeVerdict = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let began = 0
        const observer = new MutationObserver(() => {
          const status = document.querySelector('main header [role=status]')?.textContent
          if (began === 0 || status === 'Needs review') return
          observer.disconnect()
          requestAnimationFrame(() => resolve(performance.now() - began))
        })
        addEventListener('click', () => (began = performance.now()), { capture: true, once: true })
        observer.observe(document.body, { subtree: true, childList: true, characterData: true })
      }),
  )

/** From now on the page notes how long each interaction takes until the next paint. */
export const watchInteractions = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const options: PerformanceObserverInit & { durationThreshold: number } = { type: 'event', durationThreshold: 16 }
    new PerformanceObserver((list) => {
      const { dataset } = document.documentElement
      for (const { duration } of list.getEntries()) dataset['durations'] = `${dataset['durations'] ?? ''} ${duration}`
    }).observe(options)
  })

/** What it has noted, in milliseconds; what took less than 16 is not counted, which makes the rest look worse. */
export const interactionTimes = async (page: Page): Promise<number[]> => {
  const noted = await page.evaluate(() => document.documentElement.dataset['durations'] ?? '')
  return noted.trim().split(' ').map(Number)
}

/** From now on the page notes when it first showed each row as one that needs a review. */
export const watchRows = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const { dataset } = document.documentElement
    const note = () => {
      for (const icon of document.querySelectorAll('[data-row] [title="Needs review"]')) {
        const key = `row${icon.closest<HTMLAnchorElement>('[data-row]')?.pathname.replaceAll(/\W|workflows/g, '')}`
        if (dataset[key] === undefined) requestAnimationFrame(() => (dataset[key] ??= String(Date.now())))
      }
    }
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true })
  })

/** When the row of the workflow was first shown as one that needs a review, in milliseconds since 1970. */
export async function rowShownAt(page: Page, workflow_id: string): Promise<number> {
  const noted = await page.waitForFunction(
    (key) => document.documentElement.dataset[key],
    `row${workflow_id.replaceAll('-', '')}`,
    { polling: 20 },
  )
  return Number(await noted.jsonValue())
}
