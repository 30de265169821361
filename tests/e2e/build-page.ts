import { resolve } from 'node:path'

import { buildDashboard } from '../../apps/cli/src/dashboard-build.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/**
 * Builds the page once before all end-to-end tests. Otherwise every product that is started on a fresh clone would build
 * it into the same folder, under the eyes of a browser that has just been served the one before.
 */
export async function setup(): Promise<void> {
  await buildDashboard(
    ROOT,
    (event) => {
      if (event.type === 'build_failed') throw new Error(`The page could not be built: ${event.reason}`)
    },
    new AbortController().signal,
  )
}
