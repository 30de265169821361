import { run } from '../../src/program.ts'

const [root = '', ...words] = process.argv.slice(2)
process.exitCode = await run(words, root)
