/** A service process for the tests of `runService`: its only argument says how it behaves. */
import { runService, StartupError } from '../../src/index.ts'

const [, , behaviour] = process.argv
const say = (line: string) => process.stdout.write(`${line}\n`)

runService(async (fail) => {
  if (behaviour === 'bad-setting') throw new StartupError('PORT must be a whole number, but is "abc".')
  if (behaviour === 'bug-at-start') throw new TypeError('no such thing')
  if (behaviour === 'slow-start') await new Promise((resolve) => setTimeout(resolve, 300))
  const work = setInterval(() => undefined, 1000)
  if (behaviour === 'uncaught')
    setTimeout(() => {
      throw new Error('nobody caught this')
    }, 10)
  if (behaviour === 'fails') setTimeout(fail, 10)
  if (behaviour === 'unhandled') setTimeout(() => void Promise.reject(new Error('nobody awaited this')), 10)
  if (behaviour !== 'slow-start') setTimeout(() => say('ready'), 0)
  return {
    async close() {
      say('closing')
      if (behaviour === 'never-closes') await new Promise(() => undefined)
      if (behaviour === 'fails-to-close') throw new Error('the file is gone')
      await new Promise((resolve) => setTimeout(resolve, 200))
      clearInterval(work)
      say('closed')
    },
  }
})
if (behaviour === 'slow-start') say('ready')
