import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createSecrets } from '../../src/core/secrets.ts'

const secrets = createSecrets({
  SHORT_KEY: 'abcabcabcabd',
  LONG_KEY: 'xx-abcabcabcabd-$&-xx',
  WIDE_KEY: 'schlüssel-ßß',
})

describe('secrets', () => {
  it('are hidden in every text of a value, the longest first, and the rest stays', () => {
    const value = { text: 'it is abcabcabcabd!', list: ['xx-abcabcabcabd-$&-xx', 7, null], flag: true }
    expect(secrets.hide(value)).toEqual({
      text: 'it is [hidden: SHORT_KEY]!',
      list: ['[hidden: LONG_KEY]', 7, null],
      flag: true,
    })
  })

  it('are found in bytes of any kind', () => {
    const bytes = Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from('schlüssel-ßß'), Buffer.from([0])])
    expect(secrets.listIn(bytes)).toEqual(['WIDE_KEY'])
    expect(secrets.listIn(Buffer.from('nothing of that kind'))).toEqual([])
  })

  it('cost nothing where there are none', () => {
    const none = createSecrets({})
    const value = { text: 'abc' }
    expect([none.isEmpty, none.hide(value) === value, none.mayGoOn('abc'), none.listIn(Buffer.from('abc'))]).toEqual([
      true,
      true,
      false,
      [],
    ])
  })

  it('are hidden however a text is cut into pieces', () => {
    const words = fc.constantFrom('abcabcabcabd', 'abc', 'ab', 'x', ' ', 'xx-abcabcabcabd-$&-xx')
    const texts = fc.array(words, { maxLength: 12 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (text, lengths) => {
        const told: string[] = []
        let held = ''
        for (let at = 0, piece = 0; at < text.length; piece++) {
          const length = lengths[piece % lengths.length] ?? 1
          held += text.slice(at, at + length)
          at += length
          const isHeld = secrets.mayGoOn(held)
          told.push(isHeld ? '' : secrets.hide(held))
          held = isHeld ? held : ''
        }
        expect(`${told.join('')}${secrets.hide(held)}`).toBe(secrets.hide(text))
      }),
    )
  })
})
