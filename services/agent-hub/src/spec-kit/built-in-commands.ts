import type { Command } from './command.ts'

/**
 * What each command asks for where a project has no Spec Kit of its own: the same files and headings,
 * in our words. `{directory}` is the feature's folder.
 */
export const BUILT_IN_COMMANDS: Readonly<Record<Command, string>> = {
  specify: `Turn the description into a specification of what is wanted and why. Leave out how it will be built: no languages, frameworks or tables.

Write \`{directory}/spec.md\` with these headings:

- \`# Feature Specification: <name>\`, then branch, date, status and the description as it was given
- \`## User Scenarios & Testing\`: one \`### User Story N - <title> (Priority: P1)\` per story, the most valuable first, each with its value, how it is tested on its own, and numbered acceptance scenarios of the form **Given** …, **When** …, **Then** …; then \`### Edge Cases\`
- \`## Requirements\`: \`### Functional Requirements\` as \`- **FR-001**: …\`, each one testable; \`### Key Entities\` where the feature keeps data
- \`## Success Criteria\`: \`### Measurable Outcomes\` as \`- **SC-001**: …\`, measurable without knowing the code
- \`## Assumptions\`: what you took for granted

Choose sensible defaults and note them as assumptions. Mark with \`[NEEDS CLARIFICATION: <question>]\` at most three points that change the scope and that only a person can decide.

Write \`{directory}/checklists/requirements.md\`: what a reviewer should look for, as \`- [ ] CHK001 …\`, all unticked.`,
  clarify: `Settle what is open in \`{directory}/spec.md\`. Take each \`[NEEDS CLARIFICATION: …]\` and each spot that can be read in two ways. Use the answers of the reviewer where there are any; else choose what fits the rest best and say that it is your assumption.

Write each answer into the requirement it belongs to and remove the marker. Record every question and answer under \`## Clarifications\`, below a heading \`### Session YYYY-MM-DD\`, as \`- Q: … → A: …\`. No marker may be left. Tick nothing in \`{directory}/checklists/\`.`,
  plan: `Decide how the specification in \`{directory}/spec.md\` will be built, in keeping with the code that is there and with \`.specify/memory/constitution.md\` where it exists. Write:

- \`{directory}/plan.md\` with \`## Summary\`, \`## Technical Context\`, \`## Constitution Check\`, \`## Project Structure\` (real paths), and \`## Complexity Tracking\` only for what breaks a principle
- \`{directory}/research.md\`: for each decision **Decision**, **Rationale** and **Alternatives considered**
- \`{directory}/data-model.md\`: entities, fields, rules, states
- \`{directory}/contracts/\`: the interfaces that others will rely on
- \`{directory}/quickstart.md\`: how to see the feature work, step by step

Decide everything: neither an open question nor a choice between options may be left in the plan.`,
  checklist: `Write checklists that help a reviewer judge whether specification and plan in \`{directory}\` are good enough to go on: are they complete, clear, consistent, measurable? They test the documents, not the code. One file per domain that matters here, \`{directory}/checklists/<domain>.md\`, with items \`- [ ] CHK001 …\` numbered in order, each with the section it is about. Leave every item unticked: only a reviewer ticks. Change no other file.`,
  tasks: `Break the plan in \`{directory}\` into tasks that somebody can do one after the other without asking. Write \`{directory}/tasks.md\`:

- phases as \`## Phase N: …\`: setup, foundations, then one phase per user story in the order of priority (\`## Phase 3: User Story 1 - …\`), then polish
- every task on one line, exactly: \`- [ ] T001 [P] [US1] What to do in path/to/file\`. Ids count up from T001. \`[P]\` only where it touches no file of another task that may run at the same time. \`[US1]\` only, and always, inside the phase of that story
- each task names the file it touches; each story ends in something that can be tried on its own`,
  analyze: `Compare \`spec.md\`, \`plan.md\` and \`tasks.md\` in \`{directory}\` and report what does not fit: requirements without a task, tasks without a requirement, contradictions, duplicates, vague words, breaches of the constitution. Change no file at all. Your closing message is the report: a table with an id, a severity (CRITICAL, HIGH, MEDIUM or LOW), the place and a proposal per finding, then the coverage of each requirement by tasks.`,
  implement: `Carry out \`{directory}/tasks.md\`, phase by phase and in order; tasks marked \`[P]\` may be taken together. Write tests where the tasks ask for them, and run them. Tick a task (\`- [X]\`) only when it is really done and the files it names exist. Do not change \`spec.md\`, \`plan.md\` or anything in \`checklists/\`. If a task cannot be done, leave it unticked and say why in the closing message.`,
  converge: `Compare the code with \`{directory}/spec.md\`, \`plan.md\` and \`tasks.md\`. Look at what the code does, not at what is ticked. If everything asked for is there, leave \`{directory}/tasks.md\` exactly as it is and say that it has converged. Else append to its end a section \`## Phase N: Convergence\` with one task per gap, in the same format and with ids that go on from the last. Change nothing else.`,
}
