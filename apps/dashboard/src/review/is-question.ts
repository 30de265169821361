import type { Check } from '@orchestrator/contract'

/** The check that finds a `[NEEDS CLARIFICATION: …]` is a question to a person, not a fault of the file. */
export const isQuestion = ({ id }: Pick<Check, 'id'>): boolean => id.endsWith('open-question')

/** How many items are ticked is told by the checklists themselves, as it is now. */
export const isAboutTicks = ({ id }: Pick<Check, 'id'>): boolean => id.endsWith('checklist-ticks')
