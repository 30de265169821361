import type { Command } from './outcome.ts'
import { specify } from './specify.ts'

/** What the demo agent can do, by the command of the prompt. */
export const COMMANDS: Readonly<Record<string, Command>> = { specify }
