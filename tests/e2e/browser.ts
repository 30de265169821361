import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { promisify } from 'node:util'
import { chromium, type Browser } from 'playwright-core'

import { unpackChromium, type Chromium } from './bundled-chromium.ts'

const run = promisify(execFile)

/** A browser that answers, or why there is none. */
export type BrowserSearch = { found: Chromium; missing: null } | { found: null; missing: string }

const SYSTEM_CHROMIUM = '/usr/bin/chromium'

/**
 * The first that runs: CHROMIUM_PATH, the system's Chromium, the one from npm. Rejects when CHROMIUM_PATH names one that
 * does not run: whoever names a browser wants that one.
 */
export async function findBrowser(): Promise<BrowserSearch> {
  const named = process.env['CHROMIUM_PATH']
  if (named !== undefined && named !== '') return { found: await tryOut({ executable: named, env: {} }), missing: null }
  try {
    return { found: await tryOut({ executable: SYSTEM_CHROMIUM, env: {} }), missing: null }
  } catch {
    return findBundled()
  }
}

async function findBundled(): Promise<BrowserSearch> {
  try {
    return { found: await tryOut(await unpackChromium()), missing: null }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    return { found: null, missing: `no browser: ${reason}; install Chromium or name one in CHROMIUM_PATH` }
  }
}

async function tryOut(found: Chromium): Promise<Chromium> {
  await run(found.executable, ['--version'], { env: { ...process.env, ...found.env }, timeout: 20_000 })
  return found
}

/** The browser with a fresh profile, which goes when it is closed. */
export function launchBrowser({ executable, env }: Chromium): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    env: { ...process.env, ...env },
    args: [
      // Chromium refuses to run its sandbox as root, as which containers run their tests.
      ...(userInfo().uid === 0 ? ['--no-sandbox'] : []),
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}

const search = await findBrowser()

/** The title of a suite, which says why where it is skipped. */
export const titled = (title: string): string => (search.missing === null ? title : `${title} (${search.missing})`)

export const NO_BROWSER = search.missing !== null

/** For suites that are skipped where there is none. */
export function openBrowser(): Promise<Browser> {
  if (search.found === null) throw new Error(search.missing)
  return launchBrowser(search.found)
}
