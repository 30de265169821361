import { beforeEach, describe, expect, it } from 'vitest'

import { leave, partsOf } from './attempt-files.ts'
import { NO_BROWSER, titled } from './browser.ts'
import { servePage } from './served-page.ts'
import { awaitReview, button, commentAt, decide, expectNoSidewaysScroll, reviewBar } from './visitor.ts'

const SPEC = 'specs/001-x/spec.md'
const PHONE = { viewport: { width: 360, height: 740 } }

describe.skipIf(NO_BROWSER)(titled('a review'), () => {
  const served = servePage()
  beforeEach(() => served.serve({ env: { MAX_REWORKS: '60' } }))

  const draftsOf = async (id: string) =>
    (await served.service.request('GET', `/workflows/${id}/drafts`)).body.items as object[]

  it('has its drafts in every browser of its reviewer, and its suggestion word for word at the agent', async () => {
    served.hub.usual = leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(3)}` }, 'Done as you say')
    const id = await served.reviewable()
    const first = await served.visit(`/workflows/${id}`)
    await awaitReview(first.page, 1)
    await commentAt(first.page, 'It does 1.', 'How often?')
    await first.page.locator('.document [data-block]').filter({ hasText: 'It does 2.' }).focus()
    await first.page.keyboard.press('s')
    await first.page.getByLabel('What it should say').fill('It does 2, twice.')
    await button(first.page, 'Add to review').click()
    await first.page.locator('.document ins').filter({ hasText: 'It does 2, twice.' }).waitFor()
    await first.keep('suggestion')
    await reviewBar(first.page).getByText('Draft saved').waitFor()
    await expect.poll(() => draftsOf(id)).toHaveLength(2)
    await first.close()

    const second = await served.visit(`/workflows/${id}`)
    await second.page.getByText('How often?').waitFor()
    await reviewBar(second.page).getByText('2 comments drafted').waitFor()
    await decide(second.page, 'Request changes')
    await awaitReview(second.page, 2)
    expect(served.hub.received.at(-1)?.body.context.feedback).toMatchObject({
      verdict: 'changes_requested',
      threads: [
        { path: SPEC, text: 'How often?' },
        { path: SPEC, lines: { start: 9, end: 9 }, replacement: 'It does 2, twice.' },
      ],
    })
    expect(await draftsOf(id)).toEqual([])
    await second.page.getByText('2 of 2 addressed').waitFor()
    expect(second.complaints).toEqual([])
    await second.close()
  })

  it('keeps what is typed while the service does not answer, and brings it there afterwards', async () => {
    served.hub.usual = leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(3)}` })
    const id = await served.reviewable()
    const { page, keep, close } = await served.visit(`/workflows/${id}`)
    await awaitReview(page, 1)
    await page.route('**/drafts/*', (route) => route.abort())
    await commentAt(page, 'It does 1.', 'Written into the dark')
    await reviewBar(page).getByText('Kept in this browser until the server answers').waitFor()
    await keep('draft-waiting')
    await page.reload()
    await page.getByText('Written into the dark').waitFor()
    expect(await draftsOf(id)).toEqual([])
    await page.unroute('**/drafts/*')
    await reviewBar(page).getByText('Draft saved').waitFor()
    await expect.poll(() => draftsOf(id)).toMatchObject([{ text: 'Written into the dark', path: SPEC }])
    await close()
  })

  it('folds what was approved or read and did not change, and opens it on demand', async () => {
    served.hub.next(
      leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(4)}` }),
      leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(4, { 2: 'It does something else.' })}` }),
    )
    const id = await served.reviewable()
    const { page, keep, close } = await served.visit(`/workflows/${id}`)
    await awaitReview(page, 1)
    await page.locator('.document [data-block]').filter({ hasText: 'It does 3.' }).focus()
    await page.keyboard.press('v')
    await page.locator('.document [data-viewed]').filter({ hasText: 'It does 3.' }).waitFor()
    await expect
      .poll(async () => (await served.service.request('GET', `/workflows/${id}/viewed`)).body.items)
      .toHaveLength(1)
    await button(reviewBar(page), /^Approve/).click()
    await page.getByLabel('Notes for what comes next').fill('Keep the third part')
    await button(page.getByRole('dialog'), 'Approve with notes').click()
    await awaitReview(page, 1)
    await page.getByText('Noted by local user with the approval of attempt 1').waitFor()
    expect(served.hub.received.at(-1)?.body.context.feedback).toMatchObject({
      verdict: 'approved',
      text: 'Keep the third part',
    })

    await button(page, 'Part 1: Approved in Write, attempt 1').waitFor()
    await keep('folded')
    await page.getByText('It does 1.').waitFor({ state: 'hidden' })
    await page.getByText('It does something else.').waitFor()
    await button(page, 'Part 1: Approved in Write, attempt 1').click()
    await page.getByText('It does 1.').waitFor()
    const [history] = (await served.service.history(id)).filter(({ trigger }) => trigger === 'human_approved')
    expect(JSON.stringify(history)).toContain('Keep the third part')
    await close()
  })

  it('compares any two attempts, by words and by lines, and shows a file that is gone', async () => {
    served.hub.next(
      leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(2)}`, 'specs/001-x/research.md': '# Research\n\nOnce.\n' }),
      leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(2, { 1: 'It does 1 at night.' })}` }),
      leave(served.hub, {
        [SPEC]: `# Feature\n\n${partsOf(2, { 1: 'It does 1 at noon.' })}\n## New part\n\n- It came last\n`,
        'src/a.ts': 'const a = 1\n',
      }),
    )
    const id = await served.reviewable()
    await served.rework(id)
    await served.rework(id)
    const { page, complaints, keep, close } = await served.visit(`/workflows/${id}?file=${SPEC}&as=changes`)
    await awaitReview(page, 3)
    await page.locator('.document ins').filter({ hasText: 'noon' }).waitFor()
    await page.locator('.document del').filter({ hasText: 'night' }).waitFor()
    await page.getByText('It came last').waitFor()
    await page.getByRole('heading', { name: 'Part 1' }).waitFor()
    await page.getByRole('heading', { name: 'Part 2' }).waitFor({ state: 'hidden' })
    await page.getByLabel('Compare with attempt').selectOption('Write 1')
    await page.locator('.document ins').filter({ hasText: 'at noon' }).waitFor()
    await expect.poll(() => page.locator('.document del').count()).toBe(0)
    await button(page, 'Line by line').click()
    await page.locator('.document .line.removed').filter({ hasText: 'It does 1.' }).waitFor()
    await keep('line-by-line')
    await expect.poll(() => page.url()).toContain('base=')
    await page.keyboard.press('[')
    await button(page, /^research\.md/).click()
    await page.getByText('This attempt deleted research.md').waitFor()
    await keep('deleted-file')
    await expectNoSidewaysScroll(page, 'deleted file')
    expect(complaints).toEqual([])
    await close()
  })

  it('with 500 comments and on a phone stays readable', async () => {
    served.hub.usual = leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(120)}` }, 'Done')
    const id = await served.reviewable()
    const comments = Array.from({ length: 500 }, (_, index) => ({
      path: SPEC,
      lines: { start: 5 + (index % 120) * 4, end: 5 + (index % 120) * 4 },
      text: `Comment ${index + 1}`,
    }))
    await served.rework(id, comments)
    const { page, complaints, keep, close } = await served.visit(`/workflows/${id}`, PHONE)
    await awaitReview(page, 2)
    await page.getByText('500 of 500 addressed').waitFor()
    await keep('500-comments')
    await expectNoSidewaysScroll(page, '500 comments')
    const [earlier] = await served.service.attempts(id)
    await page.goto(`${served.service.url}/workflows/${id}?attempt=${earlier?.id}&view=document`)
    await page.locator('.document').getByText('Comment 500', { exact: true }).waitFor()
    await expectNoSidewaysScroll(page, '500 comments in the text')
    expect(complaints).toEqual([])
    await close()
  })

  it('after 50 attempts still leads from one to the next', async () => {
    served.hub.usual = leave(served.hub, { [SPEC]: `# Feature\n\n${partsOf(2)}` })
    const id = await served.reviewable()
    for (let attempt = 2; attempt <= 50; attempt++) await served.rework(id)
    const { page, complaints, keep, close } = await served.visit(`/workflows/${id}`, PHONE)
    await awaitReview(page, 50)
    await page.getByText('of 50', { exact: false }).first().waitFor()
    await expectNoSidewaysScroll(page, '50 attempts')
    await keep('50-attempts')
    await page.keyboard.press('[')
    await page.getByText('You are looking at Write, attempt 49').waitFor()
    await page.getByLabel('Attempt').selectOption({ index: 0 })
    await page.getByText('You are looking at Write, attempt 1').waitFor()
    expect(complaints).toEqual([])
    await close()
  })
})
