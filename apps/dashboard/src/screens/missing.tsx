import { Link } from '@tanstack/react-router'

import { buttonClass } from '../components/button.tsx'
import { Empty } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'

export function Missing() {
  return (
    <Page title="Not found">
      <Empty icon="question" title="There is nothing at this address">
        <p className="mb-3">It may have been mistyped, or the link is from another server.</p>
        <Link to="/" className={buttonClass('primary')}>
          Go to the inbox
        </Link>
      </Empty>
    </Page>
  )
}
