/** A body that each route which takes one accepts, by method and path of the OpenAPI document. */
export const validBodies = (o: {
  attempt_id: string | undefined
  key: string | undefined
}): Record<string, Record<string, unknown>> => ({
  'POST /workflows': { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' },
  'POST /workflows/{id}/advance': { trigger: 'agent_complete' },
  'POST /workflows/{id}/cancel': { reason: 'no longer wanted' },
  'POST /session': { key: o.key },
  'POST /keys': { name: 'Kim', role: 'viewer' },
  'POST /features/{feature_id}/push': { remote: 'origin' },
  'PUT /workflows/{id}/questions/{question_id}': { answer: 'An hour.', digest: '0'.repeat(64) },
  'PUT /workflows/{id}/checklist-items/{item_id}': { ticked: true, digest: '0'.repeat(64) },
  'POST /budgets/lift': { reason: 'worth it', limit_usd: 20 },
  'POST /audit/erase': { name: 'Somebody' },
  'POST /queue/pause': { reason: 'a new model' },
  'PUT /workflows/{id}/drafts/{draft_id}': {
    attempt_id: o.attempt_id,
    kind: 'comment',
    path: null,
    lines: null,
    quote: null,
    text: 'Name the roles.',
    replacement: null,
  },
  'PUT /approval-policies/{workflow_type}/{phase}': { minimum_approvals: 1, required_roles: [], four_eyes: null },
})
