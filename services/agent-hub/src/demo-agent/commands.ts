import { analyze } from './analyze.ts'
import { checklist } from './checklist.ts'
import { clarify } from './clarify.ts'
import { converge } from './converge.ts'
import { implement } from './implement.ts'
import type { Command } from './outcome.ts'
import { plan } from './plan.ts'
import { specify } from './specify.ts'
import { tasks } from './tasks.ts'

/** What the demo agent can do, by the command of the prompt. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ specify, clarify, plan, checklist, tasks, analyze, implement, converge }),
)
