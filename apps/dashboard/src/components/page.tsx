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
    <div className={`mx-auto w-full px-4 py-5 sm:px-6 ${wide ? 'max-w-[90rem]' : 'max-w-4xl'}`}>
      <div className="mb-5 flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 ref={head} tabIndex={-1} className="mr-auto text-xl font-semibold tracking-tight outline-none">
          {heading ?? title}
        </h1>
        {actions}
      </div>
      {children}
    </div>
  )
}
