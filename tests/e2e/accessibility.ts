import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

import type { Visitor } from './visitor.ts'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Otherwise every scan opens a window of its own to put frames together, and there are no frames. */
const axeOn = (page: Page) => new AxeBuilder({ page }).setLegacyMode(true)

const scan = async (axe: AxeBuilder, screen: string): Promise<string[]> => {
  const { violations } = await axe.analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${screen}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/**
 * What axe finds that keeps somebody out: serious or critical, in words. In the dark only the colours differ, so only
 * they are looked at again. Keeps a picture in both themes, which also brings fading colours to their end.
 */
export async function barriers({ page, keep }: Visitor, screen: string): Promise<string[]> {
  const name = screen.replaceAll(/\W+/g, '-')
  await page.emulateMedia({ colorScheme: 'light' })
  await keep(`${name}-light`)
  const found = await scan(axeOn(page).withTags(RULES), `${screen}, light`)
  await page.emulateMedia({ colorScheme: 'dark' })
  await keep(`${name}-dark`)
  return [...found, ...(await scan(axeOn(page).withRules(['color-contrast']), `${screen}, dark`))]
}
