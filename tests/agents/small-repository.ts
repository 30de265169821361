import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { COMMANDS, type Command } from '../../services/agent-hub/src/spec-kit/command.ts'

const run = promisify(execFile)

/** Where the integration of each agent lays its commands, and in which form. */
const INTEGRATIONS: Record<string, (command: Command) => [path: string, content: string]> = {
  claude: (command) => [`.claude/skills/speckit-${command}/SKILL.md`, markdown(command)],
  codex: (command) => [`.agents/skills/speckit-${command}/SKILL.md`, markdown(command)],
  copilot: (command) => [`.github/agents/speckit.${command}.agent.md`, markdown(command)],
  gemini: (command) => [`.gemini/commands/speckit.${command}.toml`, toml(command)],
  opencode: (command) => [`.opencode/commands/speckit.${command}.md`, markdown(command)],
  qwen: (command) => [`.qwen/commands/speckit.${command}.md`, markdown(command)],
}

/** A sentence that a prompt holds when it was made from the project's own command, with the user's text in it. */
export const installedSentence = (command: Command, text: string): string =>
  `House rules of the greeting site apply to ${command}. Wanted is: ${text}`

const markdown = (command: Command): string =>
  `---\nname: speckit-${command}\ndescription: Does ${command} as this project does it.\n---\n\n${installedSentence(command, '$ARGUMENTS')}\n`

const toml = (command: Command): string =>
  `description = "Does ${command} as this project does it."\nprompt = """\n${installedSentence(command, '{{args}}')}\n"""\n`

/** A repository as a small team may have one; `spec_kit` names the agent whose integration is installed in it. */
export async function makeRepository(folder: string, o: { spec_kit: string | null }): Promise<string> {
  const repository = join(folder, 'greeting-site')
  const integration = o.spec_kit === null ? undefined : INTEGRATIONS[o.spec_kit]
  const files: [string, string][] = [
    ['README.md', '# Greeting site\n\nGreets.\n'],
    ['package.json', '{ "name": "greeting-site", "private": true, "type": "module" }\n'],
    ['src/site.js', "export const title = 'Greeting site'\n"],
    ...(integration === undefined
      ? []
      : [
          ...COMMANDS.map(integration),
          ['.specify/memory/constitution.md', '# Constitution\n\nPlain files, no dependencies.\n'] satisfies [
            string,
            string,
          ],
        ]),
  ]
  for (const [path, content] of files) {
    await mkdir(dirname(join(repository, path)), { recursive: true })
    await writeFile(join(repository, path), content)
  }
  await git(repository, 'init', '--quiet', '--initial-branch', 'main')
  await git(repository, 'add', '--all')
  await git(
    repository,
    '-c',
    'user.name=Somebody',
    '-c',
    'user.email=s@example.org',
    'commit',
    '--quiet',
    '-m',
    'Begin',
  )
  return repository
}

export async function git(repository: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', repository, ...args])
  return stdout.trim()
}
