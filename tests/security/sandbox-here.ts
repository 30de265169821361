import { probeSandbox, type SandboxState } from '../../services/agent-hub/src/acp/sandbox.ts'

/** What stands around real agents on the machine that runs the tests. */
export const sandboxHere = (): Promise<SandboxState> => probeSandbox({ setting: 'auto', env: process.env })
