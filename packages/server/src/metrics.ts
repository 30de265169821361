import type { Counter, Gauge, Histogram, Registry } from 'prom-client'

interface Definition {
  name: string
  help: string
  labels?: readonly string[]
}

/** What is counted as it happens; with `buckets` also how much each time. */
export interface Measured extends Definition {
  /** Upper bounds. */
  buckets?: readonly number[]
}

/** What is looked up when somebody asks. It must cost the same however many workflows there are. */
export interface Looked extends Definition {
  read(): Promise<readonly Sample[]> | readonly Sample[]
  /** `counter`: it only grows. */
  kind?: 'gauge' | 'counter'
}

export interface Sample {
  labels?: Readonly<Record<string, string>>
  value: number
}

export interface Metrics {
  /** Once more, or this much more or less where it has buckets. */
  note(name: string, labels: Readonly<Record<string, string>>, value?: number): void
  /** In the text format of Prometheus. */
  print(): Promise<{ content_type: string; text: string }>
}

/** Noted before the library is loaded; an idle service has less to tell than this. */
const EARLY_MAX = 1_000
/** Values of one label: what clients name, such as an agent, must not fill the memory. */
const VALUES_MAX = 100
const OTHERS = 'other'

/**
 * Metrics for Prometheus. The library takes some 5 MB: it is loaded when somebody first asks, or when there
 * is so much to count that the service is not idle. Nothing that was noted before is lost.
 */
export function createMetrics(measured: readonly Measured[], looked: readonly Looked[]): Metrics {
  const early: [string, Readonly<Record<string, string>>, number][] = []
  const values = new Map<string, Set<string>>()
  let loaded: Loaded | undefined
  let loading: Promise<Loaded> | undefined

  const load = () =>
    (loading ??= loadMetrics(measured, looked).then((metrics) => {
      for (const one of early.splice(0)) metrics.note(...one)
      return (loaded = metrics)
    }))

  /** Bounded: past so many different values all new ones count as one. */
  const bounded = (labels: Readonly<Record<string, string>>) => {
    let changed: Record<string, string> | undefined
    for (const [label, value] of Object.entries(labels)) {
      const known = values.get(label) ?? new Set<string>()
      if (known.has(value)) continue
      values.set(label, known)
      if (known.size < VALUES_MAX) known.add(value)
      else changed = { ...(changed ?? labels), [label]: OTHERS }
    }
    return changed ?? labels
  }

  return {
    note(name, labels, value = 1) {
      const safe = bounded(labels)
      if (loaded !== undefined) return loaded.note(name, safe, value)
      early.push([name, safe, value])
      if (early.length >= EARLY_MAX) void load()
    },
    async print() {
      const { registry } = await load()
      return { content_type: registry.contentType, text: await registry.metrics() }
    },
  }
}

interface Loaded {
  registry: Registry
  note(name: string, labels: Readonly<Record<string, string>>, value: number): void
}

async function loadMetrics(measured: readonly Measured[], looked: readonly Looked[]): Promise<Loaded> {
  const { default: prometheus } = await import('prom-client')
  const registry = new prometheus.Registry()
  const counters = new Map<string, Counter>()
  const histograms = new Map<string, Histogram>()
  for (const { name, help, labels = [], buckets } of measured) {
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    if (buckets === undefined) counters.set(name, new prometheus.Counter(options))
    else histograms.set(name, new prometheus.Histogram({ ...options, buckets: [...buckets] }))
  }
  for (const { name, help, labels = [], kind = 'gauge', read } of looked) {
    const options = {
      name,
      help,
      labelNames: [...labels],
      registers: [],
      async collect(this: Gauge | Counter) {
        this.reset()
        for (const { labels: of = {}, value } of await read()) this.inc(of, value)
      },
    }
    registry.registerMetric(kind === 'gauge' ? new prometheus.Gauge(options) : new prometheus.Counter(options))
  }
  return {
    registry,
    note(name, labels, value) {
      const histogram = histograms.get(name)
      if (histogram !== undefined) return histogram.observe(labels, value)
      const counter = counters.get(name)
      if (counter === undefined) throw new Error(`there is no metric ${name}`)
      counter.inc(labels, value)
    },
  }
}
