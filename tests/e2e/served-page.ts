import { join } from 'node:path'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'

import { startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { startService, type Service } from '../../services/orchestrator/tests/service.ts'
import { openBrowser } from './browser.ts'
import { ROOT } from './running-product.ts'
import { visit, type Visitor } from './visitor.ts'

const DASHBOARD = join(ROOT, 'apps/dashboard/dist')

type ServiceOptions = Omit<NonNullable<Parameters<typeof startService>[0]>, 'hub' | 'dashboard'>

/** What a suite of the page works with: one browser for all of it, and for each test a hub that does as it is told and a service. */
export interface ServedPage {
  readonly browser: Browser
  readonly hub: PlainHub
  readonly service: Service
  /** Starts the service, or the next one after it was stopped. */
  serve(options?: ServiceOptions): Promise<Service>
  /** A person in front of the page. */
  visit(path?: string, options?: BrowserContextOptions): Promise<Visitor>
  /** A workflow whose first attempt waits for a verdict. */
  reviewable(): Promise<string>
  /** Sends the attempt back and waits for the next one. */
  rework(id: string, comments?: object[]): Promise<void>
}

/** Registers what starts and ends these with the tests of the suite that calls it. */
export function servePage(): ServedPage {
  let browser: Browser
  let hub: PlainHub
  let service: Service | undefined

  beforeAll(async () => {
    browser = await openBrowser()
  })
  beforeEach(async () => {
    hub = await startPlainHub()
    hub.agents = { items: [], default: 'demo' }
  })
  afterEach(async () => {
    await service?.close()
    service = undefined
    await hub.close()
  })
  afterAll(() => browser?.close())

  const served = (): Service => {
    if (service === undefined) throw new Error('The test has not started the service: call serve() first.')
    return service
  }
  return {
    get browser() {
      return browser
    },
    get hub() {
      return hub
    },
    get service() {
      return served()
    },
    async serve(options = {}) {
      service = await startService({ hub: hub.url, dashboard: DASHBOARD, ...options })
      return service
    },
    visit: (path, options) => visit(browser, served().url, path, options),
    async reviewable() {
      const { id } = await served().create()
      await served().until(id, 'waiting_approval')
      return id
    },
    async rework(id, comments = []) {
      await served().advance(id, 'human_rejected', { comments: comments.length === 0 ? 'Again' : comments })
      await served().until(id, 'waiting_approval')
    },
  }
}
