import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Instruction {
  name: string
  argument: string
}

export interface Stage {
  base: string
  name: string
  instructions: Instruction[]
}

/** The stages of a Dockerfile, without comments, continued lines joined. */
export async function readDockerfile(path: string): Promise<Stage[]> {
  const stages: Stage[] = []
  const lines = (await readFile(path, 'utf8'))
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [name = '', ...words] = line.split(' ')
    const argument = words.join(' ')
    const from = /^(\S+)(?: AS (\S+))?$/.exec(argument)
    if (name === 'FROM') stages.push({ base: from?.[1] ?? '', name: from?.[2] ?? 'final', instructions: [] })
    else stages.at(-1)?.instructions.push({ name, argument })
  }
  return stages
}

export const argumentsOf = (stage: Stage | undefined, name: string): string[] =>
  (stage?.instructions ?? []).filter((one) => one.name === name).map((one) => one.argument)

/**
 * Does what an image build would do, in folders: COPY copies, `RUN npm …` runs. What needs the image's own system
 * (apt-get, mkdir /data, chown) is left out. Answers the folder that stands for `/app` of the last stage.
 */
export async function replay(stages: Stage[], context: string, target: string): Promise<string> {
  const app = (stage: string) => join(target, stage)
  for (const stage of stages) {
    await mkdir(app(stage.name), { recursive: true })
    if (stages.some((other) => other.name === stage.base))
      await cp(app(stage.base), app(stage.name), { recursive: true })
    for (const { name, argument } of stage.instructions) {
      if (name === 'COPY') await copy(argument, context, app, app(stage.name))
      if (name === 'RUN' && argument.startsWith('npm ')) await runIn(app(stage.name), argument)
    }
  }
  return app('final')
}

async function copy(argument: string, context: string, app: (stage: string) => string, workdir: string): Promise<void> {
  const from = /^--from=(\S+) \/app\/?(\S*) (\S+)$/.exec(argument)
  if (from !== null) {
    const [, stage = '', source = '', to = ''] = from
    return cp(join(app(stage), source), join(workdir, to), { recursive: true, verbatimSymlinks: true })
  }
  const paths = argument.split(' ')
  const to = paths.pop() ?? ''
  for (const path of paths) {
    const place = to.endsWith('/') ? join(workdir, to, basename(path)) : join(workdir, to)
    // As .dockerignore has it.
    const filter = (source: string) => !/\/(node_modules|dist|coverage|tests)(\/|$)/.test(source.slice(context.length))
    await cp(join(context, path), place, { recursive: true, filter })
  }
}

async function runIn(folder: string, command: string): Promise<void> {
  const run = spawn('sh', ['-c', command], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const [words] = await Promise.all([text(run.stderr), once(run, 'exit')])
  if (run.exitCode !== 0) throw new Error(`"${command}" failed:\n${words}`)
}
