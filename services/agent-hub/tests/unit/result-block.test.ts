import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { answerThreads, readResultBlock } from '../../src/core/result-block.ts'

const fence = (body: string, label = 'json result') => `\`\`\`${label}\n${body}\n\`\`\``

describe('the closing block', () => {
  it('is read, and the text around it kept', () => {
    const text = `I wrote it.\n\n${fence('{"summary": "Spec written", "confidence": 80, "open_questions": ["Which locale?"]}')}\nBye.`
    expect(readResultBlock(text)).toEqual({
      block: { summary: 'Spec written', confidence: 80, files: [], open_questions: ['Which locale?'], threads: [] },
      prose: 'I wrote it.\n\n\nBye.',
    })
  })

  it('is the last one that can be read', () => {
    const text = [fence('{"summary": "first"}'), fence('{"summary": "second"}'), fence('{broken')].join('\n\n')
    expect(readResultBlock(text).block?.summary).toBe('second')
  })

  it('may lack its label when it looks like a result', () => {
    expect(readResultBlock(fence('{"summary": "x", "confidence": 5}', 'json')).block?.confidence).toBe(5)
    expect(readResultBlock(fence('{"name": "some-package"}', 'json')).block).toBeUndefined()
  })

  it.each([
    ['confidence beyond 100', '{"confidence": 900}', { confidence: 100 }],
    ['confidence below 0', '{"confidence": -1}', { confidence: 0 }],
    ['confidence as text', '{"confidence": "high"}', { confidence: null }],
    ['questions of other types', '{"open_questions": [1, " ", "a?", null]}', { open_questions: ['a?'] }],
    ['questions as text', '{"open_questions": "a?"}', { open_questions: [] }],
    ['an unknown fate', '{"threads": [{"id": "1", "fate": "maybe"}, 3]}', { threads: [] }],
    ['an empty summary', '{"summary": "  "}', { summary: null }],
  ])('takes %s for what it is', (_, body, expected) => {
    expect(readResultBlock(fence(body)).block).toMatchObject(expected)
  })

  it('never throws, whatever an agent writes', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json().map((body) => fence(body)),
      fc.string().map((body) => fence(body)),
    )
    fc.assert(
      fc.property(fc.array(anything), (parts) => {
        const { block, prose } = readResultBlock(parts.join('\n'))
        expect(typeof prose).toBe('string')
        expect(
          [block?.confidence].every((said) => said === undefined || said === null || (said >= 0 && said <= 100)),
        ).toBe(true)
      }),
    )
  })
})

describe('threads', () => {
  it('each get a fate; made up ones are dropped', () => {
    const feedback = {
      text: 'both',
      threads: [
        { id: 'a', text: 'one' },
        { id: 'b', text: 'two' },
      ],
    }
    const { block } = readResultBlock(
      fence('{"threads": [{"id": "a", "fate": "addressed", "reply": "Done"}, {"id": "z", "fate": "declined"}]}'),
    )
    expect(answerThreads(feedback, block)).toEqual([
      { id: 'a', fate: 'addressed', reply: 'Done' },
      { id: 'b', fate: 'unanswered', reply: null },
    ])
    expect(answerThreads(undefined, block)).toEqual([])
  })
})
