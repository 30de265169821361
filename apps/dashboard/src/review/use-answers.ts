import { useEffect, useMemo, useRef } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'

import type { Question, QuestionPage } from '@orchestrator/contract'

import { questionsQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { useStored } from '../preferences/stored-value.ts'

/** A pause in typing; what was typed is in this browser meanwhile. */
const PAUSE_MS = 500
const AGAIN_MS = 2_000

export interface Answers {
  questions: readonly Question[]
  /** What is answered, by whomever. */
  answered: number
  textOf: (question: Question) => string
  answer: (question_id: string, text: string) => void
}

const NONE: readonly Question[] = []

/**
 * What the current attempt leaves open, with the answers that all reviewers share. What is typed is kept by this browser
 * until the service has it, and sent again until then.
 */
export function useAnswers(workflow_id: string, attempt_id: string | undefined, enabled: boolean): Answers {
  const client = useQueryClient()
  const query = questionsQuery(workflow_id)
  const page = useQuery({ ...query, enabled }).data
  const current = page?.attempt_id === attempt_id ? page : undefined
  const questions = current?.items ?? NONE
  const [stored, store] = useStored(`orchestrator.answers.${attempt_id ?? ''}`)
  const typed = useMemo(() => (stored === null ? {} : (JSON.parse(stored) as Record<string, string>)), [stored])
  const latest = useRef(typed)
  useEffect(() => {
    latest.current = typed
  })
  const digest = current?.digest ?? null

  useEffect(() => {
    if (Object.keys(typed).length === 0 || current === undefined) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const send = async () => {
      try {
        for (const [id, text] of Object.entries(typed)) {
          const body = { answer: text.trim() === '' ? null : text.trim(), ...(digest !== null && { digest }) }
          const question = await request<Question>(`/workflows/${workflow_id}/questions/${id}`, { method: 'PUT', body })
          client.setQueryData<QuestionPage>(
            query.queryKey,
            (before) => before && { ...before, items: before.items.map((item) => (item.id === id ? question : item)) },
          )
          const { [id]: now, ...rest } = latest.current
          if (now === text) store(Object.keys(rest).length === 0 ? null : JSON.stringify(rest))
        }
      } catch {
        timer = setTimeout(() => void send(), AGAIN_MS)
      }
    }
    timer = setTimeout(() => void send(), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [stored, current === undefined])

  const textOf = (question: Question) => typed[question.id] ?? question.answer ?? ''
  return {
    questions,
    answered: questions.filter((question) => textOf(question).trim() !== '').length,
    textOf,
    answer: (id, text) => store(JSON.stringify({ ...latest.current, [id]: text })),
  }
}
