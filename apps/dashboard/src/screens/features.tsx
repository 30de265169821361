import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { featuresQuery } from '../api/queries.ts'
import { Button, buttonClass } from '../components/button.tsx'
import { Empty, LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'
import { Age } from '../components/time.tsx'
import { moveFocus } from '../keyboard/move-focus.ts'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { headline } from '../workflow/words.ts'

/** All features, each with its page. */
export function Features() {
  const features = useInfiniteQuery(featuresQuery())
  const items = features.data?.pages.flatMap((page) => page.items) ?? []
  useShortcuts([
    { keys: 'j', does: 'Next row', run: () => moveFocus('[data-row]', 1) },
    { keys: 'k', does: 'Previous row', run: () => moveFocus('[data-row]', -1) },
  ])
  if (features.isError && items.length === 0)
    return (
      <Page title="Features">
        <LoadFailure what="The features" error={features.error} retry={() => void features.refetch()} />
      </Page>
    )
  return (
    <Page title="Features">
      <div className="card divide-y divide-line overflow-hidden">
        {features.isPending && <LoadingRows rows={5} label="Loading features" />}
        {features.isSuccess && items.length === 0 && (
          <Empty icon="feature" title="No features yet">
            <p className="mb-3">A feature begins with a specification.</p>
            <Link to="/new" className={buttonClass('primary')}>
              New workflow
            </Link>
          </Empty>
        )}
        {items.map((feature) => (
          <Link
            key={feature.id}
            to="/features/$feature_id"
            params={{ feature_id: feature.id }}
            data-row
            className="flex items-start gap-4 px-4 py-3 transition-colors hover:bg-hover focus-visible:-outline-offset-2"
          >
            <span className="min-w-0 flex-1">
              <span className="line-clamp-2 font-medium sm:line-clamp-1">{headline(feature.description)}</span>
              <span className="font-mono text-xs text-faint [overflow-wrap:anywhere]">{feature.id}</span>
            </span>
            <span className="shrink-0 text-sm text-soft">
              <Age at={feature.updated_at} />
            </span>
          </Link>
        ))}
      </div>
      {features.hasNextPage && (
        <div className="mt-3 flex justify-center">
          <Button busy={features.isFetchingNextPage} onClick={() => void features.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Page>
  )
}
