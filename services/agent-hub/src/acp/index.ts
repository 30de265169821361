export { createAgentDriver, type AgentDriverOptions } from './driver.ts'
export { createAgentRegistry } from './registry.ts'
