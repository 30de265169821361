import { once } from 'node:events'

import type { AgentHub, InvokeOptions } from '../../services/orchestrator/src/core/agent-hub.ts'
import { HubError } from '../../services/orchestrator/src/core/agent-hub.ts'

type Response = Awaited<ReturnType<AgentHub['invoke']>>

interface Invocation {
  workflow_id: string
  phase: string
  attempt: number
  /** Whoever waits for its end just now; a service that crashed waits no more. */
  waiting: { resolve(response: Response): void; reject(error: Error): void } | undefined
}

/** No answer ever comes, but whoever asked may stop waiting for it. */
async function untilAborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted()
  await once(signal, 'abort')
  throw signal.reason
}

/** An Agent Hub in this process whose agents do what the test says, when it says so. The same key is the same work. */
export class ScriptedHub {
  readonly invocations = new Map<string, Invocation>()

  /** The hub as one service sees it, until that one is gone. */
  connect(): AgentHub & { close(): Promise<void>; sever(): void } {
    let isSevered = false
    const unreachable = () => new HubError('The scripted hub cannot be reached.', { transient: true })
    return {
      invoke: async (o) => (isSevered ? untilAborted(o.signal) : this.#invoke(o)),
      cancel: async () => {},
      cancelByKey: async (key) => this.invocations.has(key),
      getArtifact: () => Promise.reject(unreachable()),
      getWorkspace: () => Promise.reject(unreachable()),
      listWorkspaces: () => Promise.reject(unreachable()),
      listExchanges: () => Promise.reject(unreachable()),
      findFeature: () => Promise.reject(unreachable()),
      push: () => Promise.reject(unreachable()),
      listAgents: () => Promise.reject(unreachable()),
      getHealth: async () => ({ status: 'healthy', version: '1', uptime_seconds: 1, reasons: [] }),
      close: async () => {},
      sever: () => void (isSevered = true),
    }
  }

  /** Whether an agent works on this workflow's attempt, with somebody waiting for it. */
  isAtWork(workflow_id: string): boolean {
    return this.#waitedFor(workflow_id) !== undefined
  }

  succeed(workflow_id: string): void {
    this.#end(workflow_id).resolve({ success: true, result: { output: 'done' }, confidence: 80 })
  }

  fail(workflow_id: string): void {
    this.#end(workflow_id).resolve({ success: false, error: 'The agent could not do it.' })
  }

  stumble(workflow_id: string): void {
    this.#end(workflow_id).reject(new HubError('The hub stumbled.', { transient: true }))
  }

  async #invoke({ key, request, agent, signal, onAccepted }: InvokeOptions): Promise<Response> {
    signal.throwIfAborted()
    const { workflow_id, attempt } = request.parameters
    const invocation = this.invocations.get(key) ?? {
      workflow_id: String(workflow_id),
      phase: request.context.phase,
      attempt: Number(attempt),
      waiting: undefined,
    }
    this.invocations.set(key, invocation)
    await onAccepted({ id: key, agent })
    return new Promise<Response>((resolve, reject) => {
      const waiting = { resolve, reject }
      invocation.waiting = waiting
      const leave = () => {
        if (invocation.waiting === waiting) invocation.waiting = undefined
        reject(signal.reason as Error)
      }
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
    })
  }

  #waitedFor(workflow_id: string): Invocation | undefined {
    return [...this.invocations.values()].findLast(
      (one) => one.workflow_id === workflow_id && one.waiting !== undefined,
    )
  }

  #end(workflow_id: string) {
    const invocation = this.#waitedFor(workflow_id)
    const waiting = invocation?.waiting
    if (invocation === undefined || waiting === undefined) throw new Error(`no agent works on ${workflow_id}`)
    invocation.waiting = undefined
    return waiting
  }
}
