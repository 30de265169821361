import { useId, useRef } from 'react'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'

import type { CreateWorkflow, WorkflowType } from '@orchestrator/contract'

import { useCreateWorkflow } from '../api/mutations.ts'
import { featureQuery } from '../api/queries.ts'
import { RequestError } from '../api/request.ts'
import { Button } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { Keys } from '../components/keys.tsx'
import { Notice } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'
import { showToast } from '../components/toast.tsx'
import { useStored } from '../preferences/stored-value.ts'
import { AgentField } from '../workflow/agent-field.tsx'
import { ContextField } from '../workflow/context-field.tsx'
import { FeatureField } from '../workflow/feature-field.tsx'
import { ModelField } from '../workflow/model-field.tsx'
import { useWorkspace } from '../workflow/use-workspace.ts'
import { WorkspaceField } from '../workflow/workspace-field.tsx'
import { emptyForm, missingDescription, readForm, toRequest, type WorkflowForm } from '../workflow/workflow-form.ts'
import { TYPE_NAMES, TYPE_PURPOSES, WORKFLOW_TYPE_ORDER } from '../workflow/words.ts'

const route = getRouteApi('/new')
const DRAFT_KEY = 'orchestrator.new_workflow'

/** Describes a feature, or continues one. What is typed survives a reload until it is sent. */
export function NewWorkflow() {
  const navigate = route.useNavigate()
  const wanted = route.useSearch()
  const [stored, store] = useStored(DRAFT_KEY)
  const create = useCreateWorkflow()
  const form_element = useRef<HTMLFormElement>(null)
  const description_id = useId()

  const draft = readForm(stored)
  const form: WorkflowForm = {
    ...draft,
    feature_id: wanted.feature_id ?? draft.feature_id,
    workflow_type: WORKFLOW_TYPE_ORDER.find((type) => type === wanted.type) ?? draft.workflow_type,
  }
  const change = (part: Partial<WorkflowForm>) => {
    store(JSON.stringify({ ...form, ...part }))
    if (wanted.feature_id !== undefined || wanted.type !== undefined) void navigate({ search: {}, replace: true })
  }
  const { chosen } = useWorkspace(form.workspace)
  const continued = useQuery({ ...featureQuery(form.feature_id), enabled: form.feature_id !== '' })
  const missing = missingDescription(form)
  const send = () => {
    if (missing !== null) {
      document.getElementById(description_id)?.focus()
      return
    }
    const body: CreateWorkflow = toRequest({ ...form, workspace: chosen?.name ?? form.workspace })
    create.mutate(body, {
      onSuccess: ({ id, workflow_type }) => {
        store(null)
        showToast(`${TYPE_NAMES[workflow_type]} started`)
        void navigate({ to: '/workflows/$workflow_id', params: { workflow_id: id } })
      },
    })
  }

  return (
    <Page title="New workflow">
      <form
        ref={form_element}
        className="flex flex-col gap-6"
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) form_element.current?.requestSubmit()
        }}
      >
        <FeatureField value={form.feature_id} onChange={(feature_id) => change({ feature_id })} />
        {form.feature_id === '' && (
          <WorkspaceField value={form.workspace} onChange={(workspace) => change({ workspace })} />
        )}
        <TypeField value={form.workflow_type} onChange={(workflow_type) => change({ workflow_type })} />
        <div className="flex flex-col gap-1.5">
          <label htmlFor={description_id} className="font-medium">
            What is to be built?
            {form.feature_id !== '' && <span className="font-normal text-soft"> (optional)</span>}
          </label>
          <textarea
            id={description_id}
            rows={6}
            maxLength={20_000}
            value={form.description}
            placeholder={
              continued.data === undefined
                ? 'Add user authentication with OAuth2, so that …'
                : `Left empty, it stays: ${continued.data.description}`
            }
            aria-describedby={`${description_id}-hint`}
            onChange={(event) => change({ description: event.target.value })}
            className="field field-sizing-content min-h-36 text-[0.9375rem] leading-relaxed"
          />
          <p id={`${description_id}-hint`} className="flex flex-wrap justify-between gap-x-4 text-sm text-soft">
            <span>Who needs it, what they do, and what must never happen. The agent asks about the rest.</span>
            <span className="tabular-nums">{missing ?? `${form.description.trim().length} of 20,000`}</span>
          </p>
        </div>
        <details className="card group" open={form.agent !== '' || form.model !== '' || form.context.length > 0}>
          <summary className="flex items-center gap-2 p-3.5 font-medium">
            <Icon name="chevron" className="transition-transform group-open:rotate-90" />
            Agent, model and context
          </summary>
          <div className="flex flex-col gap-5 border-t border-line p-4">
            <AgentField value={form.agent} onChange={(agent) => change({ agent })} />
            <ModelField value={form.model} agent={form.agent} onChange={(model) => change({ model })} />
            <ContextField value={form.context} onChange={(context) => change({ context })} />
          </div>
        </details>
        {create.error !== null && <Refusal error={create.error} />}
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" look="primary" busy={create.isPending} disabled={create.isPending}>
            Start {TYPE_NAMES[form.workflow_type]}
          </Button>
          <span className="hidden text-sm text-soft sm:inline">
            or <Keys keys="Ctrl Enter" />
          </span>
          {stored !== null && (
            <Button look="quiet" className="ml-auto" onClick={() => store(JSON.stringify(emptyForm))}>
              Clear the draft
            </Button>
          )}
        </div>
      </form>
    </Page>
  )
}

function TypeField({ value, onChange }: { value: WorkflowType; onChange: (type: WorkflowType) => void }) {
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium">Type</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {WORKFLOW_TYPE_ORDER.map((type) => (
          <label
            key={type}
            className="card flex gap-3 p-3 has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="workflow_type"
              value={type}
              checked={value === type}
              onChange={() => onChange(type)}
              className="mt-1 outline-none"
            />
            <span>
              <span className="font-medium">{TYPE_NAMES[type]}</span>
              <span className="block text-sm text-soft">{TYPE_PURPOSES[type]}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function Refusal({ error }: { error: Error }) {
  const details = error instanceof RequestError ? error.details : []
  return (
    <div role="alert">
      <Notice tone="failed" icon="cross" title="It was not started">
        <p>{error.message}</p>
        {details.length > 0 && (
          <ul className="mt-1 list-disc pl-5">
            {details.map((detail) => (
              <li key={detail.field}>
                <code className="font-mono text-sm">{detail.field}</code> {detail.message}
              </li>
            ))}
          </ul>
        )}
      </Notice>
    </div>
  )
}
