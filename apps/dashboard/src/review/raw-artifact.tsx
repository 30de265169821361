import { useQuery } from '@tanstack/react-query'

import type { Artifact } from '@orchestrator/contract'

import { artifactTextQuery } from '../api/queries.ts'
import { buttonClass } from '../components/button.tsx'
import { LoadFailure } from '../components/notice.tsx'

/** Beyond this a browser stops being a good place to read. */
const MOST_CHARACTERS = 400_000

/** The bytes of a file as text. */
export function RawArtifact({ artifact }: { artifact: Artifact }) {
  const text = useQuery(artifactTextQuery(artifact.digest))
  if (text.isError) return <LoadFailure what={artifact.path} error={text.error} retry={() => void text.refetch()} />
  const whole = text.data ?? ''
  return (
    <>
      <p className="mb-3 flex flex-wrap items-center gap-3 text-sm text-soft">
        <span className="font-mono [overflow-wrap:anywhere]">{artifact.path}</span>
        <span>{artifact.size.toLocaleString()} bytes</span>
        <a href={`/artifacts/${artifact.digest}`} download={artifact.path.split('/').at(-1)} className={buttonClass()}>
          Download
        </a>
      </p>
      <pre className="overflow-x-auto font-mono text-sm leading-5.5 whitespace-pre-wrap [overflow-wrap:anywhere]">
        {whole.slice(0, MOST_CHARACTERS)}
      </pre>
      {whole.length > MOST_CHARACTERS && (
        <p className="mt-3 text-soft">The rest is left out here. Download the file to see all of it.</p>
      )}
    </>
  )
}
