import { findInvocationBlock, type InvocationBlock } from '../../services/agent-hub/src/spec-kit/invocation-block.ts'
import type { Script, Step } from './model-step.ts'

/**
 * A model that does every Spec Kit phase well: reads which one from the prompt's `json invocation` block, writes
 * what the phase's checks want to see, and closes with a result that answers every comment.
 */
export const journeyScript: Script = (prompt) => {
  const block = findInvocationBlock(prompt)
  if (block === undefined) return []
  const write = PHASES[block.command]
  if (write === undefined) return [{ kind: 'say', text: `There is no command ${block.command} in this script.` }]
  const steps = [{ kind: 'bash', command: makeFolders(block) } as const, ...write(block)]
  return BY_TOOL.has(block.command)
    ? [...steps, { kind: 'submit', ...resultOf(block) }, { kind: 'say', text: `${block.command} is done.` }]
    : [...steps, { kind: 'say', text: close(block) }]
}

/** Commands whose result is handed in by the hub's own tool; that of the others stands in the closing message. */
const BY_TOOL = new Set(['plan', 'checklist', 'tasks', 'implement'])

/** One agent's tool for new files makes none. */
const makeFolders = ({ feature_directory }: InvocationBlock): string =>
  `mkdir -p ${feature_directory}/contracts ${feature_directory}/checklists src`

const file = (block: InvocationBlock, path: string, content: string): Step => ({
  kind: 'write',
  path: `${block.feature_directory}/${path}`,
  content,
  replaces: block.attempt > 1 || block.command === 'clarify',
})

const feedbackOf = (block: InvocationBlock): string => block.feedback?.text ?? 'none yet'

const PHASES: Record<string, (block: InvocationBlock) => Step[]> = {
  specify: (block) => [file(block, 'spec.md', spec(block, '[NEEDS CLARIFICATION: How long is a link valid?]'))],
  clarify: (block) => [file(block, 'spec.md', spec(block, 'A link is valid for one hour.'))],
  plan: (block) => [
    file(block, 'plan.md', plan(block)),
    file(
      block,
      'research.md',
      '# Research\n\n**Decision**: plain files. **Alternatives**: a database, refused as too large.\n',
    ),
    file(block, 'data-model.md', '# Data model\n\nA greeting has a text.\n'),
    file(block, 'contracts/cli.md', '# Contract\n\n`greet` prints the greeting.\n'),
    file(block, 'quickstart.md', '# Quickstart\n\nRun `node src/greeting.js`.\n'),
  ],
  checklist: (block) => [
    file(block, 'checklists/requirements.md', '# Requirements\n\n- [ ] CHK001 Is every requirement testable?\n'),
  ],
  tasks: (block) => [file(block, 'tasks.md', TASKS)],
  analyze: () => [],
  implement: (block) => [
    { kind: 'write', path: 'src/greeting.js', content: "console.log('Hello')\n" },
    {
      kind: 'bash',
      command: `node src/greeting.js && sed -i 's/- \\[ \\]/- [x]/' ${block.feature_directory}/tasks.md`,
    },
  ],
  converge: () => [],
}

const resultOf = (block: InvocationBlock) => ({
  summary: `Did ${block.command} for ${block.feature_id}`,
  confidence: 90,
  open_questions: block.command === 'specify' ? ['How long is a link valid?'] : [],
  threads: (block.feedback?.threads ?? []).map(({ id }) => ({ id, fate: 'addressed', reply: 'Changed as asked.' })),
})

const close = (block: InvocationBlock): string =>
  `${block.command} is done.\n\n\`\`\`json result\n${JSON.stringify(resultOf(block), null, 2)}\n\`\`\`\n`

const spec = (block: InvocationBlock, validity: string): string => `# Feature Specification: ${block.feature_id}

**Input**: ${block.feature_description}

What the reviewer asked for: ${feedbackOf(block)}

## User Scenarios & Testing

### User Story 1 - Greet a visitor (Priority: P1)

A visitor is greeted.

**Acceptance Scenarios**:

1. **Given** a visitor, **When** the visitor comes, **Then** a greeting is shown.

## Requirements

- **FR-001**: The system MUST greet every visitor.
- **FR-002**: ${validity}

## Success Criteria

- **SC-001**: Every visitor is greeted within a second.
`

const plan = (block: InvocationBlock): string => `# Implementation Plan: ${block.feature_id}

## Summary

${block.feature_description}

## Technical Context

JavaScript on Node, no dependencies.

## Constitution Check

Nothing is violated.

## Project Structure

One file, \`src/greeting.js\`.
`

const TASKS = `# Tasks

## Phase 1: User Story 1

- [ ] T001 [US1] Write the greeting in src/greeting.js
`
