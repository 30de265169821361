import { Command, CommanderError } from 'commander'

import { doctor } from './doctor.ts'
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts'
import { jsonReporter, textReporter } from './reporter.ts'
import { up } from './up.ts'

interface UpFlags {
  watch: boolean
  verbose: boolean
  json: boolean
}

/** Runs one command line. `root` is the folder that holds `services/` and `apps/`. */
export async function run(words: readonly string[], root: string): Promise<ExitCode> {
  let exit_code: ExitCode = EXIT.ok
  const program = new Command('orchestrator')
    .description('Runs Spec Kit workflows with coding agents, behind human approval.')
    .addHelpText('after', EXIT_HELP)
    .exitOverride()

  program
    .command('up')
    .description('start the orchestrator, its page and the agent hub; Ctrl-C ends them')
    .option('--watch', 'start a service again when its code changes', false)
    .option(
      '--verbose',
      'show what the services log from level info on (else warnings; LOG_LEVEL decides when set)',
      false,
    )
    .option('--json', 'print one JSON object a line', false)
    .action(async ({ watch, verbose, json }: UpFlags) => {
      const report = json ? jsonReporter(process.stdout) : textReporter(process.stdout, process.env)
      exit_code = await up({ root, env: process.env, watch, verbose, report })
    })

  program
    .command('doctor')
    .description('look whether everything is there that a run needs, and say what to do about the rest')
    .option('--json', 'print one JSON object', false)
    .action(async ({ json }: { json: boolean }) => {
      exit_code = await doctor({ root, env: process.env, json, out: process.stdout })
    })

  try {
    await program.parseAsync(words, { from: 'user' })
    return exit_code
  } catch (error) {
    // Commander has printed its sentence; asking for help or the version is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    throw error
  }
}
