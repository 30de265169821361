import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'

const run = (program: string, args: readonly string[]) => spawnSync(program, args, { encoding: 'utf8' })

/** Why no file system of our own can be mounted here. */
export const smallDiskMissing: string | undefined = (() => {
  if (process.getuid?.() !== 0) return 'only root can mount a small disk'
  const place = `/tmp/small-disk-probe-${process.pid}`
  mkdirSync(place)
  const { error, status, stderr } = run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place])
  if (status === 0) run('umount', [place])
  rmSync(place, { recursive: true })
  return status === 0 ? undefined : `no small disk can be mounted here: ${(error?.message ?? stderr).trim()}`
})()

/** A disk of so many MiB, which can be filled to the last byte and relieved again. */
export interface SmallDisk {
  fill(): void
  relieve(): void
  unmount(): void
}

export function mountSmallDisk(place: string, mebibytes: number): SmallDisk {
  mkdirSync(place, { recursive: true })
  const { status, stderr } = run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', place])
  if (status !== 0) throw new Error(stderr)
  const filler = `${place}/filler`
  return {
    fill() {
      const { bavail, bsize } = statfsSync(place)
      try {
        writeFileSync(filler, Buffer.alloc(bavail * bsize))
      } catch (error) {
        // The service wrote in the meantime: it is just as full.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    },
    relieve: () => rmSync(filler),
    unmount: () => void run('umount', ['--lazy', place]),
  }
}
