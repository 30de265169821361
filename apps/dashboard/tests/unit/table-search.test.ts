import { describe, expect, it } from 'vitest'

import { parseTableSearch, readFilterText, toFilters } from '../../src/workflow/table-search.ts'

describe('the search box of the table', () => {
  it('takes filters out of the text, also in the words people use', () => {
    expect(readFilterText('oauth status:waiting type:plan  login')).toEqual({
      status: 'waiting_approval',
      type: 'plan',
      q: 'oauth login',
    })
    expect(readFilterText('status:in_progress feature:001-login')).toEqual({
      status: 'in_progress',
      feature: '001-login',
    })
  })

  it('keeps what it does not understand as text', () => {
    expect(readFilterText('status:odd http://x')).toEqual({ q: 'status:odd http://x' })
    expect(readFilterText('   ')).toEqual({})
  })

  it('reads an address and leaves out what it does not know', () => {
    expect(parseTableSearch({ status: 'failed', type: 'no', q: 12, feature: '', page: 3 })).toEqual({
      status: 'failed',
      q: '12',
    })
  })

  it('asks the service by its own names', () => {
    expect(toFilters({ status: 'failed', type: 'tasks', feature: '001-a', q: 'x' })).toEqual({
      status: 'failed',
      workflow_type: 'tasks',
      feature_id: '001-a',
      q: 'x',
    })
  })
})
