import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/chromium')

/** A browser on disk, and the environment that it needs. */
export interface Chromium {
  executable: string
  env: Record<string, string>
}

const UNPACK = `const { default: chromium } = await import('@sparticuz/chromium'); await chromium.executablePath()`

/**
 * The Chromium inside the npm package `@sparticuz/chromium`, with the libraries and fonts that a bare machine lacks.
 * Unpacked once per version beside node_modules (2 s, 220 MB), never into a shared /tmp where anybody could have put a
 * program of that name. Rejects where there is none for this system.
 */
export async function unpackChromium(): Promise<Chromium> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the package has no Chromium for ${process.platform} ${process.arch}`)
  const entry = fileURLToPath(import.meta.resolve('@sparticuz/chromium'))
  const { version } = JSON.parse(await readFile(resolve(dirname(entry), '../../package.json'), 'utf8')) as {
    version: string
  }
  const home = join(CACHE, version)
  const isThere = await access(home).then(
    () => true,
    () => false,
  )
  if (!isThere) await unpack(home)
  return {
    executable: join(home, 'chromium'),
    env: { LD_LIBRARY_PATH: join(home, 'al2023', 'lib'), FONTCONFIG_FILE: join(home, 'fonts.conf') },
  }
}

/** The package's own list names folders of a cloud function; without any font a page shows no text at all. */
const fontsIn = (home: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${home}/fonts</dir>
  <cachedir>${home}/fonts-cache</cachedir>
</fontconfig>
`

/** Several test files may do this at the same time: each unpacks for itself, the first one stays. */
async function unpack(home: string): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const folder = await mkdtemp(join(CACHE, 'unpacking-'))
  try {
    // The package unpacks its libraries only where it believes itself in a cloud function.
    const env = { ...process.env, TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: 'nodejs24.x' }
    await run(process.execPath, ['--input-type=module', '--eval', UNPACK], { cwd: import.meta.dirname, env })
    await writeFile(join(folder, 'fonts.conf'), fontsIn(home))
    await rename(folder, home).catch(ignoreTaken)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function ignoreTaken(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}
