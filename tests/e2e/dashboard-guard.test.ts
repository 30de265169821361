import { describe, expect, it } from 'vitest'

import { HOSTILE_MARKDOWN } from '../../services/orchestrator/tests/hostile-markdown.ts'
import { hang, refuse } from '../../services/orchestrator/tests/plain-hub.ts'
import { barriers } from './accessibility.ts'
import { leave } from './attempt-files.ts'
import { NO_BROWSER, titled } from './browser.ts'
import { servePage } from './served-page.ts'
import { awaitReview, button, expectNoSidewaysScroll, visit } from './visitor.ts'

const LONG_NAME = `src/${'a-folder-with-a-name-that-says-it-all/'.repeat(2)}and-a-file-of-its-own.ts`
/** What means harm as code in its languages, which is highlighted. */
const codeOf = (lines: readonly string[]) =>
  ['html', 'ts', 'php', 'css', 'yaml']
    .map((language) => `\`\`\`\`\`${language}\nlet seen = 1\n${lines.join('\n')}\n\`\`\`\`\``)
    .join('\n\n')
/** A little of it first: on a busy machine there may be no time for more. */
const HOSTILE_CODE = `${codeOf(HOSTILE_MARKDOWN.filter((_, index) => index % 25 === 0))}\n\n${codeOf(HOSTILE_MARKDOWN)}`

describe.skipIf(NO_BROWSER)(titled('the page as a guard'), () => {
  const served = servePage()

  it('shows markup in a description as text, on every screen that shows it', async () => {
    const service = await served.serve()
    const feature_description = `<img src=x onerror=alert(1)><script>alert(2)</script> <b>bold</b> & "quotes"`
    const { id, feature_id } = await service.create({ feature_description })
    await service.until(id, 'waiting_approval')
    const { page, complaints, close } = await served.visit()
    for (const path of ['/', '/workflows', `/workflows/${id}`, '/features', `/features/${feature_id}`]) {
      await page.goto(service.url + path)
      await page.getByText('<img src=x onerror=alert(1)>').first().waitFor()
      expect(await page.locator('img[onerror], main b').count()).toBe(0)
    }
    expect(complaints).toEqual([])
    await close()
  })

  it('lets a hostile document do nothing: no script, no request, no way out', async () => {
    const service = await served.serve()
    served.hub.usual = leave(served.hub, {
      'specs/001-x/spec.md': `# It was read\n\n${HOSTILE_MARKDOWN.join('\n\n')}\n\n${HOSTILE_CODE}\n\n## To its end\n`,
    })
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    const { page, complaints, keep, close } = await served.visit(`/workflows/${id}`)
    await awaitReview(page, 1)
    await page.locator('.document').getByText('It was read').waitFor()
    await keep('hostile-document')
    expect(
      await page.locator('.document').locator('script, iframe, object, embed, form, style, base, meta').count(),
    ).toBe(0)
    await expect.poll(() => page.locator('.document pre [class^="code-"]').count()).toBeGreaterThan(5)
    expect(await page.locator('.document [style]').count()).toBe(0)
    const ways_out = await page
      .locator('.document a[href]')
      .evaluateAll((links) =>
        links
          .map((link) => link.getAttribute('href') ?? '')
          .filter((href) => /^\s*(javascript|data|vbscript|file|blob):/i.test(href)),
      )
    expect(ways_out).toEqual([])
    expect(page.url()).toBe(`${service.url}/workflows/${id}`)
    expect(complaints).toEqual([])
    await close()
  })

  it('keeps awkward documents readable: one endless line, two megabytes, no text at all', async () => {
    const service = await served.serve()
    served.hub.usual = leave(served.hub, {
      'specs/001-x/spec.md': `# Long\n\n${'x'.repeat(100_000)}\n`,
      'specs/001-x/large.md': `# Large\n\n${'A sentence of some words that say little. '.repeat(50_000)}\n`,
      [LONG_NAME]: 'let a = 1\n',
      'specs/001-x/binary.bin': '\u0000\u0001\u0002'.repeat(1000),
      'specs/001-x/broken.md': '# Broken\n\n```\nnever closed **bold [link](\n',
    })
    const { id, feature_id } = await service.create()
    await service.until(id, 'waiting_approval')
    const { page, complaints, keep, close } = await served.visit(`/workflows/${id}`, {
      viewport: { width: 360, height: 740 },
    })
    await awaitReview(page, 1)
    for (const name of ['spec.md', 'large.md', 'binary.bin', 'broken.md']) {
      await button(page, name).click()
      await page.getByRole('region', { name: `specs/001-x/${name}` }).waitFor()
      await page.getByRole('status', { name: 'Loading the document' }).waitFor({ state: 'detached' })
      await keep(`awkward-${name}`)
      await expectNoSidewaysScroll(page, name)
    }
    await page.goto(`${service.url}/features/${feature_id}`)
    await page.getByText('and-a-file-of-its-own.ts').waitFor()
    await keep('awkward-feature')
    await expectNoSidewaysScroll(page, 'feature')
    expect(complaints).toEqual([])
    await close()
  })

  it('asks for a key where it is open to a team, and gives it back', async () => {
    const service = await served.serve({ env: { HOST: '0.0.0.0' } })
    const url = service.url.replace('0.0.0.0', '127.0.0.1')
    const visitor = await visit(served.browser, url, '/', { viewport: { width: 360, height: 740 } })
    const { page, close } = visitor
    await page.getByLabel('Your key').fill('ok_000000000000_wrong')
    await button(page, 'Sign in').click()
    await page.getByRole('alert').getByText('This key is not known').waitFor()
    expect(await barriers(visitor, 'sign-in')).toEqual([])
    await expectNoSidewaysScroll(page, 'sign-in')
    await page.getByLabel('Your key').fill(service.first_key!)
    await page.keyboard.press('Enter')
    await page.getByText('Your first specification').waitFor()
    expect(await page.evaluate(() => document.cookie)).toBe('')
    await page.goto(`${url}/settings`)
    await button(page, 'Sign out').click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await close()
  })

  it('keeps nobody out while work runs, waits and fails', async () => {
    const service = await served.serve({ env: { PHASE_RETRY_BASE_MS: '60000' } })
    served.hub.next(hang, refuse(503, 'UNAVAILABLE', 'The hub is being moved.'))
    const running = await service.create()
    await expect.poll(() => served.hub.received.length).toBe(1)
    const retried = await service.create({ feature_description: 'Limit how often one key may call us' })
    await service.untilBackingOff(retried.id)
    const visitor = await served.visit()
    const { page, complaints, close } = visitor
    await page.getByText(/Tries again at/).waitFor()
    const found = await barriers(visitor, 'busy inbox')
    await page.goto(`${service.url}/workflows/${running.id}`)
    await page.getByText(/is working/).waitFor()
    found.push(...(await barriers(visitor, 'running')))
    await button(page, 'Cancel…').click()
    found.push(...(await barriers(visitor, 'dialog-cancel')))
    await button(page.getByRole('dialog'), 'Cancel the workflow').click()
    await page.getByText('This workflow failed').waitFor()
    found.push(...(await barriers(visitor, 'cancelled')))
    await page.goto(`${service.url}/workflows/${retried.id}`)
    await page.getByText('Waiting to retry').first().waitFor()
    found.push(...(await barriers(visitor, 'backing off')))
    expect([...found, ...complaints]).toEqual([])
    await close()
  })
})
