import { useEffect, useId, useRef, type ReactNode } from 'react'

import { IconButton } from './button.tsx'

/** A native modal dialog: the browser keeps the focus inside, closes it with Escape and gives the focus back. */
export function Modal({
  title,
  onClose,
  children,
  footer,
}: {
  title: string
  onClose: () => void
  children: ReactNode
  footer?: ReactNode
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const title_id = useId()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={title_id}
      onClose={onClose}
      className="w-[min(34rem,calc(100vw-1.5rem))] max-h-[calc(100dvh-3rem)] overflow-auto rounded-xl border border-line bg-raised shadow-float"
    >
      <div className="flex items-center gap-3 px-5 pt-4">
        <h2 id={title_id} className="flex-1 text-lg font-semibold">
          {title}
        </h2>
        <IconButton icon="cross" label="Close" className="-mr-2" onClick={() => dialog.current?.close()} />
      </div>
      <div className="px-5 pt-2 pb-5">{children}</div>
      {footer !== undefined && (
        <div className="sticky bottom-0 flex flex-wrap justify-end gap-2 border-t border-line bg-raised px-5 py-3">
          {footer}
        </div>
      )}
    </dialog>
  )
}
