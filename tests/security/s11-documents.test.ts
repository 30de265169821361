import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { HOSTILE_MARKDOWN } from '../../services/orchestrator/tests/hostile-markdown.ts'
import { leave, startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { startService, type Service } from '../../services/orchestrator/tests/service.ts'
import { NO_BROWSER, openBrowser, titled } from '../e2e/browser.ts'
import { setup } from '../e2e/build-page.ts'
import { ROOT } from '../e2e/running-product.ts'
import { figure } from './counts.ts'

/** So many in one document; whole, each payload has a document of its own, where nothing before it can disarm it. */
const TOGETHER = figure(25, 1)
const DOCUMENTS = Array.from({ length: Math.ceil(HOSTILE_MARKDOWN.length / TOGETHER) }, (_, index) =>
  HOSTILE_MARKDOWN.slice(index * TOGETHER, (index + 1) * TOGETHER),
)

/** What a payload can do: run, ask somebody else, take the page away, open another. */
interface Effects {
  executed: string[]
  requested: string[]
  left: string[]
}

describe.skipIf(NO_BROWSER)(titled('what an agent writes into spec.md'), () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let hub: PlainHub
  let service: Service
  let effects: Effects

  beforeAll(async () => {
    await setup()
    hub = await startPlainHub()
    hub.agents = { items: [], default: 'demo' }
    service = await startService({ hub: hub.url, dashboard: `${ROOT}/apps/dashboard/dist` })
    browser = await openBrowser()
    context = await browser.newContext()
    // Every way by which payloads show that they ran.
    await context.exposeFunction('ran', (how: string) => void effects.executed.push(how))
    await context.addInitScript(`for (const name of ['alert', 'confirm', 'prompt', 'print', 'msgbox'])
      globalThis[name] = () => globalThis.ran(name)`)
    page = await context.newPage()
    // What the page's own policy stopped was tried all the same.
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) effects.requested.push(message.text())
    })
    page.on('dialog', (dialog) => {
      effects.executed.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    context.on('page', (opened) => effects.left.push(opened.url()))
    page.on('framenavigated', (frame) => {
      if (!frame.url().startsWith(service.url)) effects.left.push(frame.url())
    })
    context.on('request', (request) => {
      const isOurs = request.url().startsWith(`${service.url}/`) || /^(data|about):/.test(request.url())
      if (!isOurs) effects.requested.push(request.url())
    })
  }, 300_000)
  afterAll(async () => {
    await browser.close()
    await service.close()
    await hub.close()
  })

  /** As a reviewer reads it: looks, moves over it, goes through it by keyboard, and clicks what could be clicked. */
  async function read(payloads: readonly string[], index: number): Promise<Effects> {
    effects = { executed: [], requested: [], left: [] }
    const head = `Read number ${index}`
    hub.usual = leave(hub, { 'specs/001-x/spec.md': `# ${head}\n\n${payloads.join('\n\n')}\n\n## To its end\n` })
    const { id } = await service.create({ feature_description: `A document that is hostile, number ${index}` })
    await service.until(id, 'waiting_approval')
    await page.goto(`${service.url}/workflows/${id}`)
    await page.locator('.document').getByText(head).waitFor()
    const links = await page.locator('.document a').evaluateAll((found) => {
      const targets = found.map((link) => link.getAttribute('href') ?? '')
      for (const element of document.querySelectorAll('.document *')) {
        for (const name of ['mouseover', 'focus', 'click', 'toggle', 'error', 'load', 'animationstart'])
          if (element.tagName !== 'A') element.dispatchEvent(new Event(name, { bubbles: true }))
      }
      // A link to elsewhere may be followed by a person: that is no effect of the document. Only where it leads counts.
      for (const link of found)
        if (!/^(https?|mailto):/.test((link as HTMLAnchorElement).protocol)) (link as HTMLElement).click()
      return targets
    })
    for (const target of links.filter((link) =>
      /^\s*(javascript|vbscript|data|file|blob|view-source|jar|feed):/i.test(link),
    ))
      effects.left.push(target)
    expect(
      await page
        .locator('.document')
        .locator('script, iframe, object, embed, form, input, style, base, meta, link, img, svg, video, audio')
        .count(),
    ).toBe(0)
    return effects
  }

  it(
    `runs nothing, asks nobody and leads nowhere: ${HOSTILE_MARKDOWN.length} payloads in ${DOCUMENTS.length} documents`,
    async () => {
      expect(HOSTILE_MARKDOWN.length).toBeGreaterThanOrEqual(150)
      for (const [index, payloads] of DOCUMENTS.entries())
        expect({ payloads, ...(await read(payloads, index)) }).toEqual({
          payloads,
          executed: [],
          requested: [],
          left: [],
        })
    },
    figure(240_000, 600_000),
  )

  it('would be seen if it ran', async () => {
    effects = { executed: [], requested: [], left: [] }
    await page.goto(service.url)
    await page.evaluate(() => alert('x'))
    await expect.poll(() => effects.executed).toEqual(['alert'])
    await page.evaluate(() => void fetch('http://127.0.0.1:9/x').catch(() => {}))
    await expect.poll(() => effects.requested.join()).toContain('127.0.0.1:9')
  })
})
