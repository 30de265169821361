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
  'brace-expansion': ['2.0.2', 'CVE-2025-5889: quadratic regular expression'],
  fastify: ['5.8.5', 'CVE-2026-33806: a blank before the content type passed the body by its schema'],
  'js-yaml': ['4.1.1', 'CVE-2025-64718: prototype pollution by merge keys'],
  kysely: ['0.28.17', 'CVE-2026-44635: JSON path keys were not escaped'],
  prismjs: ['1.30.0', 'CVE-2024-53382: DOM clobbering'],
  undici: ['7.18.2', 'CVE-2026-22036: unbounded chain of content encodings'],
}

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
