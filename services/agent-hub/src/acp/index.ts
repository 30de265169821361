export { createAgentDriver, type AgentDriverOptions } from './driver.ts'
export { createAgentRegistry } from './registry.ts'
export { probeSandbox } from './sandbox.ts'
export { createVerifier } from './verify-command.ts'
