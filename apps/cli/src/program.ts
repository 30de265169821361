import { PHASES, ROLES, WORKFLOW_TYPES, type Phase, type WorkflowType } from '@orchestrator/contract'
import { Argument, Command, CommanderError, Option } from 'commander'

import type { ServiceFlags } from './ask-service.ts'
import { backup, restore } from './backup.ts'
import { liftBudget, showBudgets, type LiftFlags } from './budgets.ts'
import { doctor } from './doctor.ts'
import { eraseWords, type EraseFlags } from './erase.ts'
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts'
import { exportAudit, verifyAudit, type ExportFlags, type VerifyFlags } from './audit.ts'
import { createKey, listKeys, revokeKey, type CreateKeyFlags } from './keys.ts'
import { migrate } from './migrate.ts'
import { listPolicies, resetPolicy, setPolicy, type SetPolicyFlags } from './policies.ts'
import { pauseQueue, resumeQueue, showQueue, type PauseFlags } from './queue.ts'
import { jsonReporter, textReporter } from './reporter.ts'
import { up } from './up.ts'

interface BackupFlags {
  only?: 'orchestrator' | 'agent-hub'
  json: boolean
}

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

  const outputs = { out: process.stdout, error: process.stderr }
  const { ORCHESTRATOR_URL, PORT } = process.env
  const own_url = ORCHESTRATOR_URL || `http://127.0.0.1:${PORT || '8000'}`
  const serviceCommand = (group: Command, words: string, description: string) =>
    group
      .command(words)
      .description(description)
      .option('--url <url>', 'where the service listens (or ORCHESTRATOR_URL)', own_url)
      .addOption(
        // Not as a default, which the help would show.
        new Option(
          '--key <key>',
          'of an admin, unless it listens on loopback (better ORCHESTRATOR_KEY: processes are listed)',
        ).env('ORCHESTRATOR_KEY'),
      )
      .option('--json', 'print one JSON object', false)
  const keys = program.command('keys').description('who may ask the running service for what (docs/security.md)')
  serviceCommand(keys, 'list', 'list all keys, without their secrets').action(async (flags: ServiceFlags) => {
    exit_code = await listKeys(flags, outputs)
  })
  serviceCommand(keys, 'create <name>', 'make a key for somebody, and show it once')
    .addOption(new Option('--role <role>', 'what it is for').choices(ROLES).makeOptionMandatory())
    .option('--workspaces <names>', 'only for what is of these, such as shop,site (else everything)')
    .option('--expires-at <time>', 'until when it is good, such as 2030-01-31T12:00:00Z')
    .action(async (name: string, flags: CreateKeyFlags) => {
      exit_code = await createKey(name, flags, outputs)
    })
  serviceCommand(keys, 'revoke <id>', 'end a key, and what it holds open, at once').action(
    async (id: string, flags: ServiceFlags) => {
      exit_code = await revokeKey(id, flags, outputs)
    },
  )

  const only = () =>
    new Option('--only <service>', 'the database of one service alone').choices(['orchestrator', 'agent-hub'])
  program
    .command('backup <folder>')
    .description('copy the databases of both services, verified, while they run or not (docs/operations.md)')
    .addOption(only())
    .option('--json', 'print one JSON object', false)
    .action(async (folder: string, flags: BackupFlags) => {
      exit_code = await backup({ root, env: process.env, folder, ...flags }, outputs)
    })
  program
    .command('restore <folder>')
    .description('put a backup in place of the databases; the services must not run')
    .addOption(only())
    .option('--overwrite', 'put aside what is there', false)
    .option('--json', 'print one JSON object', false)
    .action(async (folder: string, flags: BackupFlags & { overwrite: boolean }) => {
      exit_code = await restore({ root, env: process.env, folder, ...flags }, outputs)
    })
  program
    .command('migrate')
    .description('move everything from the SQLite file of DATABASE_URL to an empty Postgres database, verified')
    .addOption(
      new Option('--to <url>', 'postgres://… (better MIGRATE_TO: processes are listed)')
        .env('MIGRATE_TO')
        .makeOptionMandatory(),
    )
    .option('--json', 'print one JSON object', false)
    .action(async (flags: { to: string; json: boolean }) => {
      exit_code = await migrate({ root, env: process.env, ...flags }, outputs)
    })

  const queue = program.command('queue').description('stop and go on with the handing out of work, on all replicas')
  serviceCommand(queue, 'show', 'what waits and what is at work').action(async (flags: ServiceFlags) => {
    exit_code = await showQueue(flags, outputs)
  })
  serviceCommand(queue, 'pause', 'hand out nothing more; what runs goes on')
    .option('--reason <text>', 'for whoever finds it paused')
    .action(async (flags: PauseFlags) => {
      exit_code = await pauseQueue(flags, outputs)
    })
  serviceCommand(queue, 'resume', 'go on, oldest first').action(async (flags: ServiceFlags) => {
    exit_code = await resumeQueue(flags, outputs)
  })

  const budgets = program.command('budget').description('what agents may cost (docs/security.md)')
  serviceCommand(budgets, 'show', 'today’s, and features that have used 80 % of theirs or more').action(
    async (flags: ServiceFlags) => {
      exit_code = await showBudgets(flags, outputs)
    },
  )
  serviceCommand(budgets, 'lift', 'another limit, or none; what waits goes on')
    .requiredOption('--reason <text>', 'why')
    .option('--feature <id>', 'of this feature (else of today)')
    .option('--limit <usd>', 'the limit from now on (else none)')
    .action(async (flags: LiftFlags) => {
      exit_code = await liftBudget(flags, outputs)
    })

  const policies = program.command('policy').description('what it takes to approve a phase (docs/security.md)')
  const ofPhase = (command: Command) =>
    command
      .addArgument(new Argument('<type>').choices(WORKFLOW_TYPES))
      .addArgument(new Argument('<phase>').choices(PHASES))
  serviceCommand(policies, 'list', 'what holds for every type and phase').action(async (flags: ServiceFlags) => {
    exit_code = await listPolicies(flags, outputs)
  })
  ofPhase(serviceCommand(policies, 'set', 'say what approving a phase takes'))
    .option('--minimum <n>', 'so many different people', '1')
    .option('--roles <roles>', 'somebody of each of these among them: reviewer, admin or reviewer,admin')
    .addOption(
      new Option('--four-eyes <setting>', 'whether its creator may not approve it; auto is as FOUR_EYES says')
        .choices(['auto', 'on', 'off'])
        .default('auto'),
    )
    .action(async (type: WorkflowType, phase: Phase, flags: SetPolicyFlags) => {
      exit_code = await setPolicy(type, phase, flags, outputs)
    })
  ofPhase(serviceCommand(policies, 'reset', 'back to one approval')).action(
    async (type: WorkflowType, phase: Phase, flags: ServiceFlags) => {
      exit_code = await resetPolicy(type, phase, flags, outputs)
    },
  )
  const audit = program.command('audit').description('the history and whether anybody changed it (docs/security.md)')
  serviceCommand(audit, 'export', 'the whole history with its chain, one JSON object a line')
    .option('--output <file>', 'where to (else standard output)')
    .action(async (flags: ExportFlags) => {
      exit_code = await exportAudit(flags, outputs)
    })
  serviceCommand(audit, 'verify [export]', 'check an export without the service, or what the service exports now')
    .option('--checkpoints <file>', 'hold it against what was signed: checkpoints.jsonl of AUDIT_DIR')
    .option('--public-key <file>', 'of whoever signed: public-key.pem of AUDIT_DIR')
    .action(async (file: string | undefined, flags: VerifyFlags) => {
      exit_code = await verifyAudit(file, flags, outputs)
    })

  serviceCommand(
    program,
    'erase <name>',
    'erase what a person wrote, and their name but in the chain, which still holds',
  )
    .option('--yes', 'do it: nothing brings it back', false)
    .action(async (name: string, flags: EraseFlags) => {
      exit_code = await eraseWords(name, flags, outputs)
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
