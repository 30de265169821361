import type { Colors, Ready } from './reporter.ts'

/** The few lines that tell a newcomer where to look and what to try. */
export function readyLines(ready: Ready, colors: Colors): string[] {
  const row = (name: string, value: string, more = '') =>
    `  ${colors.dim(name.padEnd(11))}${value}${more && ` ${colors.dim(more)}`}`
  return [
    '',
    `  ${colors.bold('Orchestrator is running')}`,
    '',
    row('Dashboard', colors.cyan(ready.url)),
    row('API docs', colors.cyan(ready.docs_url)),
    row('Agent Hub', colors.cyan(ready.hub_url), ready.own_hub ? '' : '(not ours: AGENT_HUB_URL)'),
    ...agentRows(ready, row),
    ...(ready.workspace ? [row('Workspace', ready.workspace.path, '(another: WORKSPACE=/path/to/repository)')] : []),
    row('Database', ready.database),
    '',
    '  Try it:',
    '',
    `  curl -X POST ${ready.url}/workflows -H "Content-Type: application/json" \\`,
    `    -d '{"workflow_type": "specify", "feature_description": "Add user authentication with OAuth2"}'`,
    '',
    `  ${colors.dim('Ctrl-C ends everything.')}`,
    '',
  ]
}

function agentRows(ready: Ready, row: (name: string, value: string, more?: string) => string): string[] {
  if (ready.agents === null) return [row('Agents', 'unknown', `(${ready.trouble})`)]
  const named = ready.agent ?? ready.agents.default
  const used = ready.agents.items.find((agent) => agent.name === named)
  const others = ready.agents.items.filter((agent) => agent !== used)
  const found = others.filter((agent) => agent.available).map((agent) => agent.name)
  // What needs no installing is there already, and lacks something else.
  const lacking = others.filter((agent) => !agent.available && agent.install === null && agent.reason !== null)
  const rows = [
    row('Agent', named, used === undefined ? '(the hub does not know it)' : `(${used.reason ?? used.title})`),
  ]
  if (used?.install && !used.available) rows.push(row('', `to install it: ${used.install}`))
  const [example] = found
  if (example !== undefined)
    rows.push(row('', `also found: ${found.join(', ')}`, `(to use one: AGENT_NAME=${example} npm start)`))
  // One reason, such as no sandbox, may be that of all.
  for (const [reason, agents] of Map.groupBy(lacking, (agent) => agent.reason))
    rows.push(row('', `found, not usable yet: ${agents.map(({ name }) => name).join(', ')}`, `(${reason})`))
  if (example === undefined && lacking.length === 0) {
    const teller = ready.own_hub ? 'npx orchestrator doctor' : 'GET /agents of that hub'
    rows.push(row('', 'no other agent found', `(${teller} tells how to install one)`))
  }
  return rows
}
