import { DEMO_NOTE } from './spec-document.ts'

export interface ChecklistSection {
  heading: string
  items: readonly string[]
}

/** A checklist with items numbered over all sections, none of them ticked: ticking is the reviewer's. */
export function checklistDocument(
  title: string,
  purpose: string,
  date: string,
  sections: readonly ChecklistSection[],
): string {
  let number = 0
  return [
    `# ${title}`,
    '',
    `**Purpose**: ${purpose}  `,
    `**Created**: ${date}`,
    '',
    DEMO_NOTE,
    '',
    ...sections.flatMap(({ heading, items }) => [
      `## ${heading}`,
      '',
      ...items.map((item) => `- [ ] CHK${String((number += 1)).padStart(3, '0')} ${item}`),
      '',
    ]),
  ].join('\n')
}

export const requirementsChecklist = (feature: string, date: string): string =>
  checklistDocument(
    `Requirements Checklist: ${feature}`,
    'what a reviewer looks for before the specification is approved',
    date,
    [
      {
        heading: 'Content',
        items: [
          'Says what is wanted and why, and leaves open how it is built',
          'Can be read by somebody who does not program',
        ],
      },
      {
        heading: 'Requirements',
        items: [
          'Every requirement can be tested, and says one thing',
          'Every user story can be delivered and tried on its own',
          'Edge cases and failures have an answer',
          'What is out of scope can be told from the text',
        ],
      },
      {
        heading: 'Readiness',
        items: [
          'No open question is left that would change the plan',
          'Success criteria can be measured without knowing the code',
        ],
      },
    ],
  )
