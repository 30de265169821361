import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const KILOBYTE = 1024
const root = fileURLToPath(new URL('../..', import.meta.url))
const vite = fileURLToPath(new URL('../../bin/vite.js', import.meta.resolve('vite')))
const run = promisify(execFile)

let directory = ''
let html = ''
/** What Vite wrote of which source went where. */
let manifest: Record<string, { file: string; imports?: string[]; dynamicImports?: string[] }> = {}
/** Content of each built file by its path below the folder of the build. */
const files = new Map<string, Buffer>()

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dashboard-'))
  // A process of its own, as a person builds it: vitest's NODE_ENV would bring React's development build.
  const { NODE_ENV: _test, ...env } = process.env
  await run(process.execPath, [vite, 'build', '--outDir', directory, '--emptyOutDir', '--manifest', 'manifest.json'], {
    cwd: root,
    env,
  })
  html = await readFile(join(directory, 'index.html'), 'utf8')
  manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))
  for (const name of await readdir(join(directory, 'assets')))
    files.set(`/assets/${name}`, await readFile(join(directory, 'assets', name)))
}, 240_000)

afterAll(() => rm(directory, { recursive: true, force: true }))

const weigh = (names: string[]) =>
  names.reduce((sum, name) => sum + gzipSync(files.get(name) ?? '').byteLength, 0) / KILOBYTE

const named = (ending: string) => [...files.keys()].filter((name) => name.endsWith(ending))

/** The scripts that a source needs before it runs: its own, and all that these import. */
function scriptsOf(source: string, seen = new Set<string>()): Set<string> {
  if (seen.has(source)) return new Set()
  seen.add(source)
  const { file, imports = [] } = manifest[source] ?? {}
  if (file === undefined) throw new Error(`The build has no ${source}`)
  return new Set([`/assets/${file.replace('assets/', '')}`, ...imports.flatMap((name) => [...scriptsOf(name, seen)])])
}

describe('the built page', () => {
  it('keeps its budgets in kilobytes of gzip', () => {
    const entry = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, name = '']) => name)
    expect(entry.length).toBeGreaterThan(0)
    expect(weigh(entry)).toBeGreaterThan(50)
    expect(weigh(entry)).toBeLessThanOrEqual(165)
    expect(weigh(named('.js'))).toBeLessThanOrEqual(280)
    expect(weigh(named('.css'))).toBeLessThanOrEqual(20)
  })

  it('adds at most 30 kB for the review to what every page has', () => {
    const entry = scriptsOf('index.html')
    const review = [...scriptsOf('src/screens/workflow.tsx')].filter((name) => !entry.has(name))
    expect(weigh([...entry])).toBeLessThanOrEqual(165)
    expect(weigh(review)).toBeGreaterThan(10)
    expect(weigh(review)).toBeLessThanOrEqual(30)
  })

  it('brings no validator and no fonts into the browser', () => {
    const scripts = named('.js').map((name) => files.get(name)?.toString('utf8') ?? '')
    expect(scripts.filter((script) => script.includes('ZodError'))).toEqual([])
    expect([...files.keys()].filter((name) => /\.(woff2?|ttf|otf)$/.test(name))).toEqual([])
  })

  it('needs nothing that a strict content security policy forbids', () => {
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/)
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/)
    const styles = named('.css').map((name) => files.get(name)?.toString('utf8') ?? '')
    expect(styles.join('')).not.toMatch(/url\(|@import/)
  })

  it('asks only its own origin', () => {
    expect(
      [...html.matchAll(/(?:src|href)="([^"]+)"/g)].filter(([, address]) => !address?.startsWith('/assets/')),
    ).toEqual([])
  })

  it('names its files by their content, so that they can be cached for ever', () => {
    expect([...files.keys()].filter((name) => !/-[\w-]{8}\.(js|css|svg)$/.test(name))).toEqual([])
  })
})
