import { Icon } from '../components/icon.tsx'
import { Clock } from '../components/time.tsx'
import { actorName } from '../workflow/words.ts'
import type { Answers } from './use-answers.ts'

interface OpenQuestionsProps {
  answers: Answers
  can_answer: boolean
  onShow: (path: string, line: number | null) => void
}

/** The field for the answer to a question: its marker in the text leads there. */
export const answerFieldId = (question_id: string): string => `answer-${question_id}`

/** What the agent could not know. An answer goes along with any verdict: nobody has to reject to answer. */
export function OpenQuestions({ answers, can_answer, onShow }: OpenQuestionsProps) {
  const { questions, answered } = answers
  if (questions.length === 0) return null
  return (
    <section className="card p-3.5">
      <h2 className="mb-1.5 flex items-baseline justify-between gap-2 font-semibold">
        {questions.length === 1 ? '1 open question' : `${questions.length} open questions`}
        {answered > 0 && (
          <span className="text-sm font-normal text-done tabular-nums">
            {answered} of {questions.length} answered
          </span>
        )}
      </h2>
      <ol className="flex flex-col gap-3">
        {questions.map((question) => (
          <li key={question.id}>
            <label htmlFor={answerFieldId(question.id)} className="flex gap-2 text-sm">
              <Icon name="question" className="mt-0.5 size-3.5 text-waiting" />
              <span className="min-w-0">{question.text || 'Something is left open here'}</span>
            </label>
            {can_answer ? (
              <textarea
                id={answerFieldId(question.id)}
                rows={1}
                maxLength={10_000}
                placeholder="Your answer"
                value={answers.textOf(question)}
                onChange={(event) => answers.answer(question.id, event.target.value)}
                className="field mt-1.5 ml-5.5 w-[calc(100%-1.375rem)] field-sizing-content"
              />
            ) : (
              question.answer !== null && <p className="mt-1 ml-5.5">{question.answer}</p>
            )}
            <p className="mt-1 ml-5.5 flex flex-wrap items-center gap-x-3 text-sm text-soft">
              {question.path !== null && question.line !== null && (
                <button
                  type="button"
                  onClick={() => onShow(question.path ?? '', question.line)}
                  className="min-h-6 text-accent underline underline-offset-2"
                >
                  Show in the text
                </button>
              )}
              {question.answered_by !== null && question.answered_at !== null && (
                <span>
                  answered by {actorName(question.answered_by)}, <Clock at={question.answered_at} />
                </span>
              )}
            </p>
          </li>
        ))}
      </ol>
    </section>
  )
}
