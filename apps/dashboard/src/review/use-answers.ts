import { useCallback, useEffect, useMemo } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'

import type { Question, QuestionPage } from '@orchestrator/contract'

import { questionsQuery } from '../api/queries.ts'
import { answerQuestion } from '../api/review-notes.ts'
import { readStored, useStored, writeStored } from '../preferences/stored-value.ts'

/** A pause in typing; what was typed is in this browser meanwhile. */
const PAUSE_MS = 500
const AGAIN_MS = 2_000

export interface Answers {
  questions: readonly Question[]
  /** What is answered, by whomever. */
  answered: number
  textOf: (question: Question) => string
  answer: (question_id: string, text: string) => void
  /** Brings what was typed last to the service: a verdict goes after it. */
  send: () => Promise<void>
}

/** Answers on their way to the service, by question. */
type Typed = Readonly<Record<string, string>>

const NONE: readonly Question[] = []

const parseTyped = (stored: string | null): Typed => (stored === null ? {} : (JSON.parse(stored) as Typed))
const formatTyped = (typed: Typed): string | null => (Object.keys(typed).length === 0 ? null : JSON.stringify(typed))

/**
 * What the current attempt leaves open, with the answers that all reviewers share. What is typed is kept by this browser
 * until the service has it, and sent again until then; a question that the next attempt asks again finds it there.
 */
export function useAnswers(workflow_id: string, attempt_id: string | undefined, enabled: boolean): Answers {
  const client = useQueryClient()
  const { queryKey, ...query } = questionsQuery(workflow_id)
  const page = useQuery({ queryKey, ...query, enabled }).data
  const current = page?.attempt_id === attempt_id ? page : undefined
  const questions = current?.items ?? NONE
  const key = `orchestrator.answers.${workflow_id}`
  const [stored, store] = useStored(key)
  const typed = useMemo(() => parseTyped(stored), [stored])

  const send = useCallback(async () => {
    if (current === undefined) return
    const { items, digest } = current
    for (const [id, text] of Object.entries(parseTyped(readStored(key)))) {
      if (!items.some((item) => item.id === id)) continue
      const body = { answer: text.trim() === '' ? null : text.trim(), ...(digest !== null && { digest }) }
      const question = await answerQuestion(workflow_id, id, body)
      client.setQueryData<QuestionPage>(
        queryKey,
        (before) => before && { ...before, items: before.items.map((item) => (item.id === id ? question : item)) },
      )
      const { [id]: now, ...rest } = parseTyped(readStored(key))
      // What was typed meanwhile is on its way still.
      if (now === text) writeStored(key, formatTyped(rest))
    }
  }, [client, current, key, queryKey, workflow_id])

  useEffect(() => {
    if (stored === null) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const attempt = (after_ms: number) => {
      timer = setTimeout(() => void send().catch(() => attempt(AGAIN_MS)), after_ms)
    }
    attempt(PAUSE_MS)
    return () => clearTimeout(timer)
  }, [stored, send])

  const textOf = (question: Question) => typed[question.id] ?? question.answer ?? ''
  return {
    questions,
    answered: questions.filter((question) => textOf(question).trim() !== '').length,
    textOf,
    answer: (id, text) => store(formatTyped({ ...parseTyped(readStored(key)), [id]: text })),
    send,
  }
}
