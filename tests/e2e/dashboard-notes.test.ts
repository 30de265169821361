import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, it } from 'vitest'

import { barriers } from './accessibility.ts'
import { leave, partsOf } from './attempt-files.ts'
import { NO_BROWSER, titled } from './browser.ts'
import { servePage } from './served-page.ts'
import { awaitReview, button, commentAt, decide, expectNoSidewaysScroll, reviewBar } from './visitor.ts'

const SPEC = 'specs/001-x/spec.md'
const LIST = 'specs/001-x/checklists/plan.md'
const ASKING = [
  '# Feature',
  '',
  '- **FR-001**: People sign in. [NEEDS CLARIFICATION: With which provider?]',
  '- **FR-002**: Sessions end. [NEEDS CLARIFICATION: After how long?]',
  '',
  '## Assumptions',
  '',
  '- One company has one provider.',
  '',
].join('\n')
const CHECKLIST = [
  '# Plan checklist',
  '',
  '## Stories',
  '',
  '- [ ] CHK001 Is each story complete?',
  '- [x] CHK002 Has each a priority?',
  '',
  '## Limits',
  '',
  '- [ ] CHK003 Are limits given as figures?',
  '',
  '## Words',
  '',
  '- [ ] CHK004 Does each word mean one thing?',
  '',
].join('\n')

const block = (page: Page, text: string) => page.locator('.document [data-block]').filter({ hasText: text }).last()

describe.skipIf(NO_BROWSER)(titled('what a reviewer notes'), () => {
  const served = servePage()
  beforeEach(() => served.serve())

  it('answers what is open in one place, shown where it is asked, and takes it along with the verdict at once', async () => {
    served.hub.usual = leave(served.hub, { [SPEC]: ASKING })
    const id = await served.reviewable()
    const visitor = await served.visit(`/workflows/${id}`)
    const { page, complaints, keep, close } = visitor
    await awaitReview(page, 1)
    await page.getByText('2 open questions').waitFor()
    await button(block(page, 'FR-002'), 'Answer').click()
    await page.locator(':focus[placeholder="Your answer"]').waitFor()
    await page.keyboard.type('After one hour')
    await block(page, 'FR-002').getByText('After one hour').waitFor()
    await page.getByText(/answered by local user, \d/).waitFor()
    await page.reload()
    await block(page, 'FR-002').getByText('After one hour').waitFor()
    await page.getByText('1 assumption', { exact: true }).click()
    await page.getByText('One company has one provider.').first().waitFor()
    await keep('answered')
    expect(await barriers(visitor, 'answered in text')).toEqual([])

    // The verdict comes before the pause in which an answer is sent by itself.
    await page.getByPlaceholder('Your answer').first().fill('Only our own')
    await decide(page, 'Approve')
    await expect
      .poll(() => served.hub.received.at(-1)?.body.context.feedback?.answers)
      .toMatchObject([
        { question: 'After how long?', answer: 'After one hour', by: 'local' },
        { question: 'With which provider?', answer: 'Only our own', by: 'local' },
      ])
    await served.service.until(id, 'waiting_approval')
    await page.getByRole('tab', { name: 'History' }).click()
    await page.getByText('With which provider? → Only our own').waitFor()
    expect(complaints).toEqual([])
    await close()
  })

  it('keeps an answer that came too late for the attempt which asks the same again', async () => {
    served.hub.usual = leave(served.hub, { [SPEC]: ASKING })
    const id = await served.reviewable()
    const { page, close } = await served.visit(`/workflows/${id}`)
    await awaitReview(page, 1)
    await page.route('**/questions/*', (route) => route.abort())
    await page.getByPlaceholder('Your answer').first().fill('Written into the dark')
    await served.rework(id)
    await page.unroute('**/questions/*')
    await button(page, /^Go to Write, attempt 2/).click()
    await awaitReview(page, 2)
    await expect
      .poll(async () => (await served.service.request('GET', `/workflows/${id}/questions`)).body.items[0].answer)
      .toBe('Written into the dark')
    await close()
  })

  it('ticks a checklist where it stands, by mouse and by key, and says who did and when', async () => {
    served.hub.usual = leave(served.hub, { [LIST]: CHECKLIST })
    const id = await served.reviewable()
    const visitor = await served.visit(`/workflows/${id}`)
    const { page, complaints, close } = visitor
    await awaitReview(page, 1)
    const box = (words: string) => page.locator('.document').getByRole('checkbox', { name: words })
    await expect.poll(() => box('Has each a priority?').isChecked()).toBe(true)
    await box('Is each story complete?').click()
    await block(page, 'CHK001')
      .getByText(/^ticked by local user, \d/)
      .waitFor()
    await block(page, 'CHK003').focus()
    await page.keyboard.press('x')
    await block(page, 'CHK003')
      .getByText(/^ticked by local user, \d/)
      .waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    await block(page, 'CHK004')
      .getByText(/^ticked by/)
      .waitFor()
    const isFocused = (input: Element) => input === document.activeElement
    await expect.poll(() => box('Does each word mean one thing?').evaluate(isFocused)).toBe(true)
    await page.keyboard.press('x')
    await block(page, 'CHK004')
      .getByText(/^unticked by/)
      .waitFor()

    await page.getByText('3 of 4 ticked').click()
    const outline = page.getByRole('navigation', { name: 'Outline' })
    await expect
      .poll(() => outline.innerText())
      .toMatch(/Stories\s+2 of 2\s+ticked\s+ticked by local user, \d.*\s+Limits\s+1 of 1\s+ticked/)
    expect(await barriers(visitor, 'ticked')).toEqual([])
    await page.reload()
    await block(page, 'CHK001')
      .getByText(/^ticked by local user, \d/)
      .waitFor()
    await decide(page, 'Approve')
    const handedOver = () =>
      served.hub.received.at(-1)?.body.context.feedback?.ticks?.map(({ label, ticked, by }) => [label, ticked, by])
    await expect.poll(handedOver).toEqual([
      ['CHK001', true, 'local'],
      ['CHK003', true, 'local'],
      ['CHK004', false, 'local'],
    ])
    await page.getByRole('tab', { name: 'History' }).click()
    await page.getByText('Ticked CHK001, CHK003').waitFor()
    await page.getByText('Unticked CHK004').waitFor()
    expect(complaints).toEqual([])
    await close()
  })

  it('finds its drafts in the next attempt: at their lines, or with the text that they were about', async () => {
    const three = partsOf(3, { 3: 'It does 3. And it says so.' })
    served.hub.next(
      leave(served.hub, { [SPEC]: `# Feature\n\n${three}` }),
      leave(served.hub, {
        [SPEC]: `# Feature\n\nSomething that came before.\n\n${partsOf(3, { 2: 'It does something else.', 3: 'It does 3. And it says so.' })}`,
      }),
    )
    const id = await served.reviewable()
    const { page, keep, close } = await served.visit(`/workflows/${id}`)
    await awaitReview(page, 1)
    await commentAt(page, 'It does 3.', 'To whom?')
    await commentAt(page, 'It does 2.', 'Twice, please')
    await reviewBar(page).getByText('Draft saved').waitFor()
    await served.rework(id)
    await button(page, /^Go to Write, attempt 2/).click()
    await awaitReview(page, 2)

    const moved = page.locator('.document').getByRole('article').filter({ hasText: 'To whom?' })
    await moved.getByText('from attempt 1').waitFor()
    await moved.getByText('line 15').waitFor()
    const above = (card: Element) => card.parentElement?.previousElementSibling?.textContent
    await expect.poll(() => moved.evaluate(above)).toMatch(/^It does 3/)
    const beside = page.getByRole('region', { name: 'Comments outside this text' }).getByRole('article')
    await beside.getByText('from attempt 1').waitFor()
    await beside.getByText('It does 2.').waitFor()
    await keep('drafts-of-an-earlier-attempt')
    await expectNoSidewaysScroll(page, 'drafts of an earlier attempt')
    await button(moved, 'Edit').click()
    await page.getByPlaceholder('What should be different?').fill('To whom, and when?')
    await button(page, 'Add to review').click()
    await decide(page, 'Request changes')
    await awaitReview(page, 3)
    expect(served.hub.received.at(-1)?.body.context.feedback?.threads).toMatchObject([
      { path: SPEC, lines: { start: 15, end: 15 }, text: 'To whom, and when?' },
      { path: SPEC, quote: 'It does 2.', text: 'Twice, please' },
    ])
    await close()
  })
})
