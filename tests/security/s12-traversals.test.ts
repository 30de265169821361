import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { readBelow } from '../../services/agent-hub/src/workspace/safe-path.ts'
import { OPEN_SERVICES, type EitherService } from './both-services.ts'
import { figure } from './counts.ts'
import { TRAVERSALS } from './traversals.ts'
import { onEach, openRaw } from './wide-service.ts'

const CANARY = 'canary-7f3a9c'
/** First bytes of what may be asked for: our file, the users of the machine, a database, an environment, a repository. */
const LEAKS = [CANARY, 'root:x:0', 'SQLite format 3', 'PATH=', 'repositoryformatversion']

describe.each(OPEN_SERVICES)('the routes of the %s', (_name, start) => {
  let service: EitherService
  let raw: ReturnType<typeof openRaw>
  beforeAll(async () => {
    service = await start()
    raw = openRaw(service.url)
    await writeFile(join(service.folder, 'canary.txt'), CANARY)
    await mkdir(join(service.folder, 'dashboard/assets'), { recursive: true })
    await writeFile(join(service.folder, 'dashboard/index.html'), '<!doctype html>')
    await writeFile(join(service.folder, 'dashboard/assets/page.js'), 'export {}')
  })
  afterAll(async () => {
    raw.close()
    await service.close()
  })

  it('give nothing of what lies beside, however a path is spelled', async () => {
    const documented = Object.keys(service.document.paths).filter((path) => /\{\w+\}/.test(path))
    const places = [
      ...documented,
      '/assets/{file}',
      '/docs/static/{file}',
      '/redoc/{file}',
      '/{file}',
      '/assets/x{file}',
    ]
    const host = `127.0.0.1:${service.port}`
    // One in four at each place, others at the next.
    const share = figure(4, 1)
    const asks = places.flatMap((place, at) =>
      TRAVERSALS.filter((_, index) => (index + at) % share === 0).map((traversal) => ({
        method: 'GET',
        // A blank ends a request line; all else goes out as it is.
        path: place.replace(/\{\w+\}/, () => traversal).replaceAll(/\{\w+\}/g, 'x'),
        headers: { host },
      })),
    )
    expect(asks.length).toBeGreaterThanOrEqual(300)
    const answers = await onEach(asks, async (one) => ({ path: one.path, ...(await raw.ask(one)) }))
    expect(answers.filter(({ text }) => LEAKS.some((leak) => text.includes(leak))).slice(0, 5)).toEqual([])
    const done = answers.filter(({ status }) => status < 400 || status >= 500)
    // Of a path that the router itself makes shorter, a public page may remain.
    expect(done.filter(({ text }) => !/^(<!doctype html>|\{"(service|status)":)/i.test(text)).slice(0, 5)).toEqual([])
  })
})

describe('what the hub reads of a working copy', () => {
  let root: string
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'traversal-'))
    root = join(folder, 'tree')
    await mkdir(join(root, 'x'), { recursive: true })
    await writeFile(join(folder, 'canary.txt'), CANARY)
  })
  afterEach(() => rm(join(root, '..'), { recursive: true, force: true }))

  const read = (path: string) =>
    readBelow(root, path).then(
      (bytes) => (bytes === undefined ? 'nothing' : Buffer.from(bytes).toString('latin1')),
      (error: Error) => error.name,
    )

  it('is nothing outside of it, by any path', async () => {
    const paths = TRAVERSALS.flatMap((path) => [
      path,
      path.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
    ])
    expect(new Set(await Promise.all(paths.map(read)))).toEqual(new Set(['nothing', 'ServiceError']))
  })

  it('is nothing outside of it, by any link', async () => {
    const outside = join(root, '..', 'canary.txt')
    await symlink(outside, join(root, 'absolute'))
    await symlink('../canary.txt', join(root, 'relative'))
    await symlink('..', join(root, 'folder'))
    await symlink('/', join(root, 'everything'))
    await symlink('absolute', join(root, 'second'))
    await symlink('/proc/self/environ', join(root, 'environment'))
    await symlink('itself', join(root, 'itself'))
    const paths = [
      'absolute',
      'relative',
      'folder/canary.txt',
      'everything/etc/passwd',
      'second',
      'environment',
      'itself',
    ]
    expect(await Promise.all(paths.map(read))).toEqual([...Array(6).fill('ServiceError'), 'nothing'])
  })
})
