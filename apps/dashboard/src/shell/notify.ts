import type { StreamEvent, Workflow } from '@orchestrator/contract'

import { request } from '../api/request.ts'
import icon from '../assets/icon.svg'
import { mayNotify } from '../preferences/notifications.ts'
import { headline, phaseTitle } from '../workflow/words.ts'

/**
 * Tells outside of the page that something waits for a review. It leads there and decides nothing: an approval is given
 * before the document, never in a notice. All tabs use one tag for a workflow, so that a person is told once.
 */
export async function notifyOfReview(event: StreamEvent, open: (workflow_id: string) => void): Promise<void> {
  if (event.type !== 'workflow.transition' || event.data.to_status !== 'waiting_approval' || !mayNotify()) return
  const { workflow_id } = event
  if (document.visibilityState === 'visible' && document.hasFocus()) return
  const workflow = await request<Workflow>(`/workflows/${workflow_id}`).catch(() => undefined)
  if (workflow === undefined || workflow.status !== 'waiting_approval') return
  const { workflow_type, current_phase, feature_description } = workflow
  const notice = new Notification('Waiting for your review', {
    body: `${headline(feature_description)}\n${current_phase === null ? '' : phaseTitle(workflow_type, current_phase)}`,
    tag: workflow_id,
    icon,
  })
  notice.addEventListener('click', () => {
    window.focus()
    open(workflow_id)
    notice.close()
  })
}
