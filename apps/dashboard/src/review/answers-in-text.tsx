import { useEffect, useState } from 'react'
import { createPortal } from 'react-dom'

import type { Question } from '@orchestrator/contract'

import { blockAtLine } from './document-blocks.ts'
import { answerFieldId } from './open-questions.tsx'
import type { Answers } from './use-answers.ts'

interface AnswersInTextProps {
  root: HTMLElement
  path: string
  answers: Answers
  can_answer: boolean
}

/** The markers of open questions: each leads to the field for its answer, and shows the answer where the question stands. */
export function AnswersInText({ root, path, answers, can_answer }: AnswersInTextProps) {
  const { questions } = answers
  const [marks, setMarks] = useState<ReadonlyMap<string, HTMLElement>>(new Map())
  useEffect(() => setMarks(marksOf(root, questions, path)), [root, questions, path])
  return questions.map((question) => {
    const mark = marks.get(question.id)
    if (mark === undefined) return null
    return (
      <Answered key={question.id} mark={mark} id={question.id} text={answers.textOf(question)} leads={can_answer} />
    )
  })
}

function Answered({ mark, id, text, leads }: { mark: HTMLElement; id: string; text: string; leads: boolean }) {
  const [host, setHost] = useState<HTMLElement | null>(null)
  useEffect(() => {
    const element = document.createElement('span')
    element.className = 'in-text'
    mark.after(element)
    setHost(element)
    return () => element.remove()
  }, [mark])
  const answered = text.trim() !== ''
  if (host === null) return null
  return createPortal(
    <>
      {answered && <span className="answer">{text.trim()}</span>}
      {leads && (
        <button type="button" className="to-answer" onClick={() => document.getElementById(answerFieldId(id))?.focus()}>
          {answered ? 'Change' : 'Answer'}
        </button>
      )}
    </>,
    host,
  )
}

/** Each marker by its question, in the order in which both stand in the document. */
function marksOf(root: HTMLElement, questions: readonly Question[], path: string): Map<string, HTMLElement> {
  const free = new Set(root.querySelectorAll<HTMLElement>('mark'))
  const found = new Map<string, HTMLElement>()
  for (const { id, path: file, line } of questions) {
    if (file !== path || line === null) continue
    const block = blockAtLine(root, line)
    const mark = [...free].find((each) => block?.contains(each) === true)
    if (mark === undefined) continue
    free.delete(mark)
    found.set(id, mark)
  }
  return found
}
