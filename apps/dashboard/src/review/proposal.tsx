/** What a suggestion takes away and what it puts there, as source. */
export function Proposal({ before, after }: { before: string | null; after: string }) {
  return (
    <pre className="mb-2 overflow-x-auto rounded-lg border border-line font-mono text-sm leading-5.5 whitespace-pre-wrap [overflow-wrap:anywhere]">
      {before !== null && <del className="block bg-failed-soft px-2.5 py-1 text-ink no-underline">{before}</del>}
      {after === '' ? (
        <em className="block px-2.5 py-1 font-sans text-soft">Remove these lines</em>
      ) : (
        <ins className="block bg-done-soft px-2.5 py-1 text-ink no-underline">{after}</ins>
      )}
    </pre>
  )
}
