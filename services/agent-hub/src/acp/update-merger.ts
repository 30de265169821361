import type { AgentUpdate } from '@orchestrator/contract'

const FLUSH_MS = 100
/** Pieces that may wait at once. */
const MAX_WAITING = 100
/** What a turn may tell before the rest is dropped: an agent that floods costs its reader a bounded amount. */
const MAX_UPDATES = 20_000
const MAX_CHARACTERS = 16 * 1024 * 1024

/** Joins what belongs together and passes it on in order, at most ten times a second while that is enough. */
export interface UpdateMerger {
  push(update: AgentUpdate): void
  /** Passes on what still waits. */
  flush(): void
  /** Passes on what waits, and nothing after that. */
  close(): void
}

/** `mayGoOn` holds back a text whose end only the next piece decides on. */
export function createUpdateMerger(
  deliver: (update: AgentUpdate) => void,
  mayGoOn: (text: string) => boolean = () => false,
): UpdateMerger {
  let waiting: AgentUpdate[] = []
  let timer: NodeJS.Timeout | undefined
  let last_flush = 0
  let updates = 0
  let characters = 0
  let closed = false

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    last_flush = performance.now()
    const last = waiting.at(-1)
    const isHeld = !closed && last !== undefined && isText(last) && mayGoOn(last.text ?? '')
    const ready = isHeld ? waiting.slice(0, -1) : waiting
    waiting = isHeld ? [last] : []
    for (const update of ready) deliver(update)
  }

  return {
    push(update) {
      if (closed) return
      characters += (update.text?.length ?? 0) + (update.tool_call?.text?.length ?? 0)
      updates += 1
      if (updates > MAX_UPDATES || characters > MAX_CHARACTERS) {
        closed = true
        waiting.push({ kind: 'note', text: 'The agent wrote so much that the rest of this turn is left out here.' })
        flush()
        return
      }
      if (!join(waiting, update)) waiting.push(update)
      else updates -= 1
      if (waiting.length >= MAX_WAITING || performance.now() - last_flush >= FLUSH_MS) flush()
      else timer ??= setTimeout(flush, FLUSH_MS)
    },
    flush,
    close() {
      closed = true
      flush()
    },
  }
}

const isText = ({ kind }: AgentUpdate): boolean => kind === 'message' || kind === 'thought'

/** Adds an update to one that still waits, when nothing is lost by it. */
function join(waiting: AgentUpdate[], update: AgentUpdate): boolean {
  const last = waiting.at(-1)
  if (last === undefined || last.kind !== update.kind) return false
  switch (update.kind) {
    case 'message':
    case 'thought':
      waiting[waiting.length - 1] = { kind: update.kind, text: `${last.text ?? ''}${update.text ?? ''}` }
      return true
    case 'tool_call':
      if (last.tool_call?.id !== update.tool_call?.id) return false
      waiting[waiting.length - 1] = update
      return true
    case 'plan':
    case 'usage':
      waiting[waiting.length - 1] = update
      return true
    case 'permission':
    case 'note':
      return false
  }
}
