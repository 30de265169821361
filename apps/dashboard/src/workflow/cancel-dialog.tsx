import { useId, useState } from 'react'

import { useCancelWorkflow } from '../api/mutations.ts'
import { Button } from '../components/button.tsx'
import { Modal } from '../components/modal.tsx'
import { showToast } from '../components/toast.tsx'

/** Asks before an agent is stopped in the middle of its work. */
export function CancelDialog({ workflow_id, onClose }: { workflow_id: string; onClose: () => void }) {
  const [reason, setReason] = useState('')
  const cancel = useCancelWorkflow(workflow_id)
  const field_id = useId()
  const submit = () =>
    cancel.mutate(reason.trim(), {
      onSuccess: () => {
        showToast('Cancelled')
        onClose()
      },
    })
  return (
    <Modal
      title="Cancel this workflow"
      onClose={onClose}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Back
          </Button>
          <Button look="danger" busy={cancel.isPending} disabled={cancel.isPending} onClick={submit}>
            Cancel the workflow
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <p>The agent is told to stop. What it wrote so far stays in the feature’s branch, and you can retry.</p>
        <div className="flex flex-col gap-1.5">
          <label htmlFor={field_id} className="font-medium">
            Why? <span className="font-normal text-soft">(optional)</span>
          </label>
          <input
            id={field_id}
            value={reason}
            maxLength={2000}
            onChange={(event) => setReason(event.target.value)}
            className="field"
          />
        </div>
        {cancel.error !== null && (
          <p role="alert" className="text-failed">
            {cancel.error.message}
          </p>
        )}
      </form>
    </Modal>
  )
}
