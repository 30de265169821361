/** W3C Trace Context, version 00 (https://www.w3.org/TR/trace-context/#traceparent-header). */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

export interface SpanOptions {
  /** The `traceparent` of what it is part of; undefined begins a trace. */
  parent?: string | undefined
  /** `server`: somebody waits for it; `client`: somebody else does it for us. */
  kind?: 'server' | 'client' | 'internal'
  attributes?: SpanAttributes
}

/** Something that takes time, as part of a trace. */
export interface Span {
  /** For whoever does a part of it; without an exporter, what came in. */
  readonly traceparent: string | undefined
  set(attributes: SpanAttributes): void
  /** With an error, when it went wrong. */
  end(error?: unknown): void
}

export interface Tracing {
  start(name: string, options: SpanOptions): Span
  /** Sends what is left. */
  close(): Promise<void>
}

/** Records nothing, and still passes on whose trace it is. */
export const UNTRACED: Tracing = {
  start: (_name, { parent }) => ({ traceparent: parent, set: () => {}, end: () => {} }),
  close: async () => {},
}

export interface OpenTracingOptions {
  service: string
  version: string
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`; undefined records nothing, and loads nothing. */
  endpoint: string | undefined
}

/** Traces for any collector that speaks OTLP over HTTP. */
export async function openTracing(o: OpenTracingOptions): Promise<Tracing> {
  if (o.endpoint === undefined) return UNTRACED
  // Some 15 MB, for those alone who want traces.
  const { exportTraces } = await import('./otlp-tracing.ts')
  return exportTraces({ ...o, endpoint: o.endpoint })
}

/** The header, if it is one. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined
}
