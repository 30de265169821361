export { createAgentDriver, type AgentDriverOptions } from './driver.ts'
export { createAgentRegistry, type AgentRegistryOptions, type InstalledAgents } from './registry.ts'
