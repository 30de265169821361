import { beforeEach, describe, expect, it } from 'vitest'

import { clientOf } from '../../services/orchestrator/tests/service.ts'
import { barriers } from './accessibility.ts'
import { leave } from './attempt-files.ts'
import { NO_BROWSER, titled } from './browser.ts'
import { servePage } from './served-page.ts'
import { awaitReview, button, decide, expectNoSidewaysScroll, reviewBar, type Visitor } from './visitor.ts'

const WORKSPACES = ['default', 'shop'].map((name) => ({
  name,
  location: `/srv/repositories/${name}`,
  default: name === 'default',
}))
const PHONE = { width: 360, height: 740 }

describe.skipIf(NO_BROWSER)(titled('the keys of the page'), () => {
  const served = servePage()
  beforeEach(async () => {
    served.hub.usual = leave(served.hub, { 'specs/001-x/spec.md': '# Feature\n\nIt works.\n' })
    served.hub.more.set('GET /workspaces', { status: 200, body: { items: WORKSPACES, next_cursor: null } })
    await served.serve()
  })

  /** Somebody who has signed in with this key. */
  const holding = async (key: string): Promise<Visitor> => {
    const visitor = await served.visit()
    const { hostname } = new URL(served.service.url)
    await visitor.page.context().addCookies([{ name: 'orchestrator_session', value: key, domain: hostname, path: '/' }])
    return visitor
  }

  it('makes a key, shows it once and revokes it; a viewer reads and decides nothing', async () => {
    const id = await served.reviewable()
    const { page, keep, complaints, close } = await served.visit('/settings')
    await button(page, 'New key').click()
    await page.getByLabel('Whose is it?').fill('Vera')
    await page.getByRole('radio', { name: /^viewer/ }).check()
    await keep('new-key')
    await button(page, 'Make the key').click()
    const secret = page.getByText(/^ok_[0-9a-f]{12}_/)
    await secret.waitFor()
    const key = await secret.innerText()
    expect((await clientOf(served.service.url, key).request('GET', '/session')).body).toMatchObject({
      name: 'Vera',
      role: 'viewer',
    })
    await button(page, 'Done').click()
    await secret.waitFor({ state: 'detached' })
    await page.reload()
    await page.getByText('Vera').waitFor()
    expect(await page.getByText(key).count()).toBe(0)

    const vera = await holding(key)
    await vera.page.goto(`${served.service.url}/workflows/${id}`)
    await vera.page.getByText('It waits for a reviewer. You are here as viewer, and may read.').waitFor()
    expect(await reviewBar(vera.page).count()).toBe(0)
    await vera.page.goto(`${served.service.url}/settings`)
    await vera.page.getByText('Handing out work').waitFor()
    expect(await button(vera.page, 'New key').count()).toBe(0)
    expect(await button(vera.page, 'Pause').count()).toBe(0)
    await vera.close()

    await button(page, 'Revoke…').click()
    await button(page.getByRole('dialog'), 'Revoke').click()
    await page.getByText('Revoked', { exact: true }).waitFor()
    await keep('keys')
    expect((await clientOf(served.service.url, key).request('GET', '/session')).status).toBe(401)
    expect(complaints).toEqual([])
    await close()
  })

  it('makes a key for one workspace, whose holder sees and decides what is there and nothing else', async () => {
    const { service } = served
    const [own, other] = [
      await service.create({ workspace: 'shop', feature_description: 'Sell gift cards in the shop' }),
      await service.create({ feature_description: 'Show the opening hours on the site' }),
    ]
    await service.until(own.id, 'waiting_approval')
    await service.until(other.id, 'waiting_approval')

    const admin = await served.visit('/settings', { viewport: PHONE })
    const { page } = admin
    await button(page, 'New key').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Whose is it?').fill('Ada')
    await dialog.getByRole('radio', { name: /^admin/ }).check()
    await dialog.getByRole('radio', { name: 'only in some' }).click()
    await dialog.getByText('Tick at least one.').waitFor()
    const make = button(dialog, 'Make the key')
    await expect.poll(() => make.isDisabled()).toBe(true)
    const box = (name: string) => dialog.getByRole('checkbox', { name: new RegExp(`^${name}`) })
    for (const name of ['default', 'shop']) {
      await box(name).click()
      await expect.poll(() => box(name).isChecked()).toBe(true)
    }
    await box('default').click()
    await expect.poll(() => box('default').isChecked()).toBe(false)
    await make.waitFor()
    expect(await barriers(admin, 'new-key-of-one-workspace')).toEqual([])
    await expectNoSidewaysScroll(page, 'new key')
    await make.click()
    const secret = page.getByText(/^ok_[0-9a-f]{12}_/)
    await secret.waitFor()
    const key = await secret.innerText()
    await button(page, 'Done').click()
    await page.getByText('only in shop').waitFor()
    await admin.keep('keys-of-one-workspace')
    await admin.close()

    const ada = await holding(key)
    await ada.page.goto(`${service.url}/workflows`)
    await ada.page.locator('[data-row]').filter({ hasText: 'Sell gift cards' }).waitFor()
    expect(await ada.page.locator('[data-row]').count()).toBe(1)
    await ada.page.goto(`${service.url}/workflows/${other.id}`)
    await ada.page.getByText('There is nothing at this address').waitFor()
    expect(await ada.page.getByText('opening hours').count()).toBe(0)
    await ada.page.goto(`${service.url}/workflows/${own.id}`)
    await awaitReview(ada.page, 1)
    await decide(ada.page, 'Approve')
    await expect.poll(async () => (await service.get(own.id)).current_phase).toBe('phase_2')

    await ada.page.goto(`${service.url}/new`)
    await ada.page.getByLabel('What is to be built?').fill('Wrap what was bought as a present')
    await button(ada.page, 'Start').click()
    await ada.page.getByRole('heading', { name: 'Wrap what was bought as a present' }).waitFor()
    const made = ada.page.url().split('/').at(-1) ?? ''
    expect(await service.get(made)).toMatchObject({ created_by: 'Ada' })
    expect(served.hub.received.at(-1)?.body.parameters).toMatchObject({ workspace: 'shop' })

    await ada.page.goto(`${service.url}/settings`)
    await ada.page.getByText('Handing out work').waitFor()
    for (const name of ['New key', 'Pause']) expect(await button(ada.page, name).count()).toBe(0)
    expect(ada.complaints.filter((words) => !words.includes('status of 404'))).toEqual([])
    await ada.close()
  })
})
