import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)

/**
 * The oldest version of each package that may be installed, and why. Kept by hand: an audit service
 * is not always within reach, and this list also fails where there is no network.
 */
const MINIMUM_VERSIONS: Record<string, [version: string, reason: string]> = {
  ajv: ['6.12.3', 'CVE-2020-15366: prototype pollution by a schema'],
  'brace-expansion': ['2.0.2', 'CVE-2025-5889: quadratic regular expression'],
  cookie: ['0.7.0', 'CVE-2024-47764: fields of a cookie by its name'],
  dompurify: ['3.2.4', 'CVE-2025-26791: scripts by way of a template'],
  'find-my-way': ['9.0.1', 'CVE-2024-45813: exponential patterns in routes'],
  fastify: ['5.8.5', 'CVE-2026-33806: a blank before the content type passed the body by its schema'],
  'js-yaml': ['4.1.1', 'CVE-2025-64718: prototype pollution by merge keys'],
  'follow-redirects': ['1.15.6', 'CVE-2024-28849: credentials sent on to another host'],
  kysely: ['0.28.17', 'CVE-2026-44635: JSON path keys were not escaped'],
  'markdown-it': ['12.3.2', 'CVE-2022-21670: quadratic pattern'],
  marked: ['4.0.10', 'CVE-2022-21680 and CVE-2022-21681: exponential patterns'],
  minimatch: ['3.0.5', 'CVE-2022-3517: exponential pattern'],
  nanoid: ['3.3.8', 'CVE-2024-55565: ids that can be foretold'],
  postcss: ['8.4.31', 'CVE-2023-44270: comments that become rules'],
  prismjs: ['1.30.0', 'CVE-2024-53382: DOM clobbering'],
  'sanitize-html': ['2.12.1', 'CVE-2024-21501: tells which files the server has'],
  semver: ['7.5.2', 'CVE-2022-25883: quadratic pattern'],
  'tar-fs': ['3.1.1', 'CVE-2025-59343: links that lead out of the folder'],
}

/** Under these a package may be used and given on with the product, whose own licence is MIT. */
const LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  // Asks for its own files only to stay under it; they are used as they are.
  'MPL-2.0',
  'PSF-2.0',
  'Python-2.0',
  'Unlicense',
]
/** What the lock file does not tell in the words of SPDX, looked up in the package itself. */
const LICENCES_BY_HAND: Record<string, string> = { decko: 'MIT', stickyfill: 'MIT', 'url-template': 'BSD-3-Clause' }

/** Fixed in 3.51.3: a reset of the write-ahead log could corrupt the file. */
const MINIMUM_SQLITE = '3.51.3'

interface Manifest {
  name: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  allowScripts?: Record<string, boolean>
}
interface LockedPackage {
  version?: string
  resolved?: string
  link?: boolean
  integrity?: string
  hasInstallScript?: boolean
  license?: string
  os?: string[]
  cpu?: string[]
}

const readJson = async <T>(path: string): Promise<T> => JSON.parse(await readFile(join(root, path), 'utf8')) as T
const manifestPaths = globSync(['package.json', '{packages,services,apps}/*/package.json'], { cwd: root })
const manifests = await Promise.all(manifestPaths.map((path) => readJson<Manifest>(path)))
const lock = await readJson<{ packages: Record<string, LockedPackage> }>('package-lock.json')
const installed = Object.entries(lock.packages)
  .filter(([path, locked]) => path.includes('node_modules/') && locked.link !== true)
  .map(([path, locked]) => ({ ...locked, name: path.slice(path.lastIndexOf('node_modules/') + 13), path }))

const isForThisMachine = ({ os, cpu }: LockedPackage): boolean =>
  (os === undefined || os.includes(process.platform)) && (cpu === undefined || cpu.includes(process.arch))

const isOlder = (locked: LockedPackage, minimum: string): boolean =>
  compareVersions(locked.version ?? '0.0.0', minimum) < 0

/** Negative when `a` is the older one. Both are `major.minor.patch`, perhaps with a tail that is ignored. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[-+]/)[0]!.split('.').map(Number))
  return [0, 1, 2].map((part) => left![part]! - right![part]!).find((difference) => difference !== 0) ?? 0
}

describe('what gets installed', () => {
  it('is pinned to one exact version in every package.json', () => {
    const loose = manifests.flatMap((manifest) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${manifest.name}: ${name}@${version}`),
    )
    expect(loose).toEqual([])
  })

  it('runs at most two install scripts on a machine, each one decided on in package.json', async () => {
    const scripted = installed.filter((locked) => locked.hasInstallScript)
    const { allowScripts = {} } = await readJson<Manifest>('package.json')
    expect(Object.keys(allowScripts).toSorted()).toEqual(scripted.map((locked) => locked.name).toSorted())
    const run_here = scripted.filter(isForThisMachine).filter((locked) => allowScripts[locked.name] === true)
    expect(run_here.length).toBeLessThanOrEqual(2)
  })

  it('comes from a registry by its digest, and the lock file does not say which', () => {
    expect(installed.filter((locked) => locked.resolved !== undefined).map((locked) => locked.path)).toEqual([])
    expect(installed.filter((locked) => locked.integrity === undefined).map((locked) => locked.path)).toEqual([])
    expect(JSON.stringify(lock)).not.toMatch(/https?:\/\/[^"]*\.tgz|git\+/)
  })

  it('is all that the list of oldest versions speaks of', () => {
    const names = new Set(installed.map(({ name }) => name))
    expect(Object.keys(MINIMUM_VERSIONS).filter((name) => !names.has(name))).toEqual([])
  })

  it('has a licence under which it may be used and given on', () => {
    const allowed = (licence: string) =>
      licence
        .replaceAll(/[()]/g, '')
        .split(' OR ')
        .some((one) => LICENCES.includes(one))
    const others = installed
      .map(({ name, license }) => ({ name, licence: LICENCES_BY_HAND[name] ?? license ?? 'none' }))
      .filter(({ licence }) => !allowed(licence))
    expect(others).toEqual([])
    expect(Object.keys(LICENCES_BY_HAND).filter((name) => !installed.some((locked) => locked.name === name))).toEqual(
      [],
    )
  })

  it('is no digest that anybody could forge', () => {
    expect(installed.filter(({ integrity }) => !integrity?.startsWith('sha512-')).map(({ path }) => path)).toEqual([])
  })

  it.each(Object.entries(MINIMUM_VERSIONS))('is a safe version of %s: %s', (name, [minimum]) => {
    const old = installed
      .filter((locked) => locked.name === name)
      .filter((locked) => isOlder(locked, minimum))
      .map((locked) => `${locked.path} ${locked.version}`)
    expect(old).toEqual([])
  })

  it('is a SQLite without the corruption of the write-ahead log', () => {
    expect(compareVersions(String(process.versions.sqlite), MINIMUM_SQLITE)).toBeGreaterThanOrEqual(0)
  })

  it('is the Node that package.json pins', async () => {
    const { dependencies } = await readJson<Manifest>('package.json')
    expect(process.versions.node).toBe(dependencies?.node)
  })

  it('can be installed by npm ci: manifests and lock file agree', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'supply-'))
    for (const path of [...manifestPaths, 'package-lock.json', '.npmrc']) await cp(join(root, path), join(folder, path))
    const result = await run('npm', ['ci', '--dry-run', '--ignore-scripts', '--offline'], { cwd: folder })
    await rm(folder, { recursive: true })
    expect(result.stdout).toMatch(/added \d+ packages/)
  })
})
