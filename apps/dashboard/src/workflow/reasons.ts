import type { Transition } from '@orchestrator/contract'

import { actorName } from './words.ts'

type Metadata = NonNullable<Transition['metadata']>
type Fields = Record<string, unknown>

/** Why, in the words of a transition: comments, answers, ticks, a reason, an error. */
export function readReasons({ metadata, actor }: Pick<Transition, 'metadata' | 'actor'>): string[] {
  if (metadata === null) return []
  const { comments, reason, error } = metadata
  const by = (fields: Fields) =>
    fields['by'] === actor || !isText(fields['by']) ? '' : ` (${actorName(fields['by'])})`
  const said = Array.isArray(comments) ? listOf(metadata, 'comments').map(({ text }) => text) : [comments]
  const answers = listOf(metadata, 'answers').map((fields) => {
    const { question, answer } = fields
    return isText(answer) ? `${isText(question) ? question : 'Open question'} → ${answer}${by(fields)}` : undefined
  })
  return [...said, ...answers, ticksOf(metadata, true), ticksOf(metadata, false), reason, error].filter(isText)
}

function ticksOf(metadata: Metadata, ticked: boolean): string | undefined {
  const labels = listOf(metadata, 'ticks').flatMap((tick) =>
    tick['ticked'] === ticked && isText(tick['label']) ? [tick['label']] : [],
  )
  return labels.length === 0 ? undefined : `${ticked ? 'Ticked' : 'Unticked'} ${labels.join(', ')}`
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function listOf(metadata: Metadata, name: string): Fields[] {
  const list = metadata[name]
  return Array.isArray(list)
    ? list.filter((each): each is Metadata => typeof each === 'object' && each !== null && !Array.isArray(each))
    : []
}
