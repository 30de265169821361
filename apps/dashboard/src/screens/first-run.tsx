import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'

import { useCreateWorkflow } from '../api/mutations.ts'
import { agentsQuery, featuresQuery } from '../api/queries.ts'
import { buttonClass } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { Empty, LoadingRows, Notice } from '../components/notice.tsx'
import { useWorkspace } from '../workflow/use-workspace.ts'

const EXAMPLES = [
  {
    title: 'Sign in with OAuth2',
    description:
      'Add user authentication with OAuth2, so that people sign in with the account of their company and stay signed in on their own machines.',
  },
  {
    title: 'Export as CSV',
    description:
      'Let an administrator export all orders of a month as a CSV file, also when there are hundreds of thousands of them.',
  },
  {
    title: 'Rate limit',
    description:
      'Limit how often one API key may call us per minute, tell callers how much is left, and let us raise the limit for one customer.',
  },
]

const STEPS = [
  { title: 'Describe', text: 'a feature in a sentence' },
  { title: 'Read', text: 'the specification the agent writes' },
  { title: 'Decide', text: 'approve it, or say what must change' },
]

/** An inbox with nothing in it: the way to a first reviewed specification, or a word that all is done. */
export function FirstRun() {
  const features = useInfiniteQuery(featuresQuery())
  if (features.isPending) return <LoadingRows rows={3} label="Loading" />
  const begun = (features.data?.pages[0]?.items.length ?? 0) > 0
  if (begun)
    return (
      <div className="card">
        <Empty icon="check" title="All done">
          <p className="mb-3">Nothing waits for you and no agent is running.</p>
          <Link to="/new" className={buttonClass('primary')}>
            New workflow
          </Link>
        </Empty>
      </div>
    )
  return <Welcome />
}

function Welcome() {
  const navigate = useNavigate()
  const create = useCreateWorkflow()
  const agents = useQuery(agentsQuery())
  const { chosen } = useWorkspace('')
  const start = (feature_description: string) =>
    create.mutate(
      { workflow_type: 'specify', feature_description, ...(chosen !== undefined && { workspace: chosen.name }) },
      {
        onSuccess: (workflow) => void navigate({ to: '/workflows/$workflow_id', params: { workflow_id: workflow.id } }),
      },
    )
  const agent = agents.data?.items.find((item) => item.name === agents.data.default)
  return (
    <div className="card overflow-hidden">
      <div className="p-5 sm:p-8">
        <h2 className="text-xl font-semibold tracking-tight">Your first specification, in three minutes</h2>
        <ol className="mt-5 grid gap-4 sm:grid-cols-3">
          {STEPS.map((step, index) => (
            <li key={step.title} className="flex gap-3">
              <span className="grid size-6 shrink-0 place-items-center rounded-full bg-accent-soft text-sm font-semibold text-accent">
                {index + 1}
              </span>
              <p>
                <strong className="font-semibold">{step.title}</strong>
                <br />
                <span className="text-soft">{step.text}</span>
              </p>
            </li>
          ))}
        </ol>
      </div>
      <div className="border-t border-line bg-canvas p-5 sm:p-8">
        <p className="mb-3 font-semibold">Begin with one of these, or with your own</p>
        <ul className="flex flex-col gap-2">
          {EXAMPLES.map((example) => (
            <li key={example.title}>
              <button
                type="button"
                data-row
                disabled={create.isPending}
                onClick={() => start(example.description)}
                className="card group flex w-full items-start gap-3 p-3.5 text-left transition-colors hover:border-line-strong hover:bg-hover"
              >
                <Icon name="spark" className="mt-0.5 text-accent" />
                <span className="min-w-0 flex-1">
                  <span className="font-medium">{example.title}</span>
                  <span className="block text-soft">{example.description}</span>
                </span>
                <Icon name="arrow" className="mt-0.5 text-faint group-hover:text-ink" />
              </button>
            </li>
          ))}
          <li>
            <Link
              to="/new"
              data-row
              className="flex items-center gap-3 rounded-[10px] border border-dashed border-line-strong p-3.5 font-medium hover:bg-hover"
            >
              <Icon name="plus" className="text-accent" />
              Describe your own feature
            </Link>
          </li>
        </ul>
        {create.error !== null && (
          <div role="alert" className="mt-3">
            <Notice tone="failed" icon="cross" title="It could not be started">
              {create.error.message}
            </Notice>
          </div>
        )}
        {agent !== undefined && (
          <p className="mt-4 text-sm text-soft">
            The work is done by <strong className="font-semibold text-ink">{agent.title}</strong>.{' '}
            <Link to="/settings" className="text-accent underline underline-offset-2">
              Other agents
            </Link>{' '}
            run only when you name them.
          </p>
        )}
      </div>
    </div>
  )
}
