/**
 * The pictures of the README, taken of the real product on its demo agent: `npm run screenshots`.
 */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Browser } from 'playwright-core'

import type { Client } from '@orchestrator/client'
import type { Workflow } from '@orchestrator/contract'

import { openBrowser } from './browser.ts'
import { makeProduct, ROOT } from './running-product.ts'
import { awaitReview, commentAt, readDocument, visit } from './visitor.ts'

const FOLDER = join(ROOT, 'docs/images')
const LARGEST_KILOBYTES = 300
const THEMES = { light: '', dark: '-dark' } as const

const FEATURES = [
  'Limit how often one API key may call us per minute, and tell callers how much is left',
  'Let an administrator export all orders of a month as a CSV file',
  'Remind customers by e-mail three days before their subscription is renewed',
  'Add user authentication with OAuth2, so that people sign in with the account of their company',
] as const

async function until(client: Client, id: Workflow['id'], wanted: (workflow: Workflow) => boolean): Promise<void> {
  while (!wanted(await client.getWorkflow(id))) await setTimeout(100)
}

const isWaiting = ({ status }: Workflow) => status === 'waiting_approval'

async function approve(client: Client, id: Workflow['id']): Promise<void> {
  await until(client, id, isWaiting)
  await client.advanceWorkflow(id, { trigger: 'human_approved', phase_result: { approved: true } })
}

/** One picture in both themes; `prepare` brings a page to where it is worth a picture. */
async function take(
  browser: Browser,
  name: string,
  url: string,
  path: string,
  prepare: (page: Awaited<ReturnType<typeof visit>>['page']) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    Object.entries(THEMES).map(async ([colorScheme, ending]) => {
      const { page, close } = await visit(browser, url, path, { colorScheme: colorScheme as keyof typeof THEMES })
      await page.getByText('All systems working').waitFor()
      await prepare(page)
      const file = join(FOLDER, `${name}${ending}.png`)
      await page.screenshot({ path: file, animations: 'disabled' })
      const kilobytes = (await stat(file)).size / 1024
      if (kilobytes > LARGEST_KILOBYTES) throw new Error(`${file} has ${kilobytes.toFixed(0)} kB`)
      console.log(`${file}, ${kilobytes.toFixed(0)} kB`)
      await close()
    }),
  )
}

const product = await makeProduct({ DEMO_AGENT_PACE_MS: '250' })
const browser = await openBrowser()
try {
  await mkdir(FOLDER, { recursive: true })
  const { client, ready } = await product.start()
  const specify = (feature_description: string) =>
    client.createWorkflow({ workflow_type: 'specify', feature_description })
  const [limit, csv, reminder, oauth] = [
    await specify(FEATURES[0]),
    await specify(FEATURES[1]),
    await specify(FEATURES[2]),
    await specify(FEATURES[3]),
  ]
  await until(client, limit.id, isWaiting)
  await approve(client, csv.id)
  await until(client, csv.id, ({ current_phase }) => current_phase === 'phase_2')
  await approve(client, csv.id)
  await until(client, reminder.id, isWaiting)
  await until(client, oauth.id, isWaiting)
  await client.advanceWorkflow(oauth.id, {
    trigger: 'human_rejected',
    phase_result: {
      approved: false,
      comments: [
        {
          path: `specs/${oauth.feature_id}/spec.md`,
          text: 'Mention account lockout after five failed attempts',
        },
      ],
    },
  })
  await until(client, oauth.id, ({ attempt }) => attempt?.number === 2)
  await until(client, oauth.id, isWaiting)

  await take(browser, 'review', ready.url, `/workflows/${oauth.id}`, async (page) => {
    await awaitReview(page, 2)
    await readDocument(page)
    await commentAt(page, /^Add user authentication/, 'Which companies? Name the providers that we must support first.')
    await page.evaluate(() => scrollTo({ top: 0 }))
  })

  const plan = await client.createWorkflow({ workflow_type: 'plan', feature_id: csv.feature_id })
  await take(browser, 'activity', ready.url, `/workflows/${plan.id}`, async (page) => {
    await page.getByText('Write specs/').nth(2).waitFor()
  })
  await until(client, plan.id, isWaiting)
  await specify('Show on the status page which of our services are slow, and since when')
  await take(browser, 'inbox', ready.url, '/', async (page) => {
    await page.locator('[data-row]').nth(4).waitFor()
  })
} finally {
  await browser.close()
  await product.stopAll()
  await product.remove()
}
