import { useEffect, useRef, type ReactNode } from 'react'

import { useWaitingCount } from '../shell/waiting-count.ts'

/** A screen: names the browser tab, has one heading, and takes the focus when a person comes from another screen. */
export function Page({
  title,
  heading,
  actions,
  wide = false,
  children,
}: {
  title: string
  heading?: ReactNode
  actions?: ReactNode
  wide?: boolean
  children: ReactNode
}) {
  const head = useRef<HTMLHeadingElement>(null)
  const waiting = useWaitingCount()
  useEffect(() => {
    document.title = `${waiting === undefined ? '' : `(${waiting}) `}${title} · Orchestrator`
  }, [title, waiting])
  useEffect(() => {
    // On the first page the browser's own start of the document is the right place.
    if (document.activeElement !== document.body) head.current?.focus({ preventScroll: true })
  }, [])
  return (
    <div
      className={`mx-auto flex w-full flex-1 flex-col px-4 pt-5 pb-8 sm:px-6 ${wide ? 'max-w-[96rem]' : 'max-w-5xl'}`}
    >
      <div className="mb-5 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 ref={head} tabIndex={-1} className="mr-auto text-lg font-semibold tracking-tight outline-none sm:text-xl">
          {heading ?? title}
        </h1>
        {actions}
      </div>
      {children}
    </div>
  )
}
