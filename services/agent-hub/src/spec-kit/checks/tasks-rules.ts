import { isStoryPhase, userStories, type TaskLine } from '@orchestrator/spec-kit'

import { findText, inFeature, readTasks, type PhaseFiles } from './phase-files.ts'
import { error, warning, type Finding, type Rule } from './rule.ts'

const onTasks =
  (find: (tasks: TaskLine[], path: string, files: PhaseFiles) => Finding[]) =>
  (files: PhaseFiles): Finding[] => {
    const text = findText(files, 'tasks.md')
    return text === undefined ? [] : find(readTasks(files, text), inFeature(files, 'tasks.md'), files)
  }

const short = (task: TaskLine): string => task.id ?? task.text.trim().slice(0, 60)

export const TASKS_RULES: readonly Rule[] = [
  {
    id: 'tasks-exist',
    holds: 'tasks.md holds tasks.',
    find: (files) => {
      const path = inFeature(files, 'tasks.md')
      const text = findText(files, 'tasks.md')
      if (text === undefined) return [error('tasks.md is missing.', path)]
      return readTasks(files, text).length === 0 ? [error('tasks.md holds no task.', path)] : []
    },
  },
  {
    id: 'tasks-format',
    holds: 'Every task line has the format.',
    find: onTasks((tasks, path) =>
      tasks
        .filter((task) => task.id === null)
        .map((task) =>
          error('This line does not read “- [ ] T001 [P] [US1] what to do in path/to/file”.', path, task.line),
        ),
    ),
  },
  {
    id: 'tasks-ids',
    holds: 'Ids are unique and increase.',
    find: onTasks((tasks, path) => {
      const seen = new Set<string>()
      let highest = 0
      return tasks.flatMap((task): Finding[] => {
        if (task.id === null) return []
        const number = Number(task.id.slice(1))
        const twice = seen.has(task.id)
        seen.add(task.id)
        if (twice) return [error(`${task.id} stands twice.`, path, task.line)]
        if (number <= highest) return [error(`${task.id} comes after a higher id.`, path, task.line)]
        highest = number
        return []
      })
    }),
  },
  {
    id: 'tasks-story-labels',
    holds: 'Story labels stand in the phases of stories.',
    find: onTasks((tasks, path) =>
      tasks
        .filter((task) => task.story !== null && !isStoryPhase(task.phase))
        .map((task) =>
          error(`${short(task)} has the label ${task.story ?? ''} outside the phase of a story.`, path, task.line),
        ),
    ),
  },
  {
    id: 'tasks-name-files',
    holds: 'Every task names a file.',
    find: onTasks((tasks, path) =>
      tasks
        .filter((task) => task.paths.length === 0)
        .map((task) => warning(`${short(task)} names no file.`, path, task.line)),
    ),
  },
  {
    id: 'tasks-cover-stories',
    holds: 'Every user story has a task.',
    find: onTasks((tasks, path, files) => {
      const labels = new Set(tasks.map((task) => task.story))
      return userStories(findText(files, 'spec.md') ?? '')
        .filter(({ id }) => !labels.has(id))
        .map(({ id }) => warning(`User Story ${id.slice('US'.length)} has no task.`, path))
    }),
  },
  {
    id: 'tasks-parallel-files',
    holds: 'No two parallel tasks share a file.',
    find: onTasks((tasks, path) => {
      const owners = new Map<string, TaskLine>()
      return tasks
        .filter((task) => task.parallel)
        .flatMap((task) =>
          task.paths.flatMap((file) => {
            const key = `${task.phase}\n${file}`
            const other = owners.get(key)
            owners.set(key, task)
            return other === undefined || file.endsWith('/')
              ? []
              : [warning(`${short(other)} and ${short(task)} are both marked [P] and touch ${file}.`, path, task.line)]
          }),
        )
    }),
  },
]
