import { MillraceError } from '../errors.ts'
import type { MeteredEngine } from './engine-reading.ts'
import { EngineSource } from './engine-source.ts'
import { metricDefinitions } from './metric-definitions.ts'
import type { MetricRegistry } from './metric-registry.ts'
import {
  type CheckedMetricsOptions,
  type MetricsOptions,
  readMetricsOptions,
} from './metrics-options.ts'
import { SharedMetric } from './shared-metric.ts'

/** The metrics of an engine in a registry. */
export interface EngineMetrics {
  /** Where they are: the one that was given, or a new one. */
  readonly registry: MetricRegistry
  /** Takes them out of the registry; they go by themselves when the engine is closed. May be called again. */
  stop(): void
}

/**
 * Shows an engine as Prometheus metrics, which src/observe/README.md lists. They are made when the registry is asked for
 * them, from what the core counts anyway: requests cost nothing more for it. Several engines may be shown in one
 * registry, each by its label `pipeline`. Does not keep the engine from being collected.
 *
 * @param options Default: all of their defaults.
 * @throws {MillraceError} MILLRACE_INVALID_OPTION, also where prom-client is needed and not installed, where an engine is
 * shown under the same name already, and where the registry has another metric of one of the names.
 */
export function observeMetrics(engine: MeteredEngine, options: MetricsOptions = {}): EngineMetrics {
  const checked = readMetricsOptions(engine, options)
  const { registry } = checked
  const metrics = metricsIn(registry, checked)
  const source = new EngineSource(engine, checked)
  for (const { metric, isNew } of metrics) {
    if (isNew) registry.registerMetric(metric as never)
    metric.add(source)
  }
  const weak = new WeakRef(engine) // whoever keeps what is returned does not keep the engine
  const stop = () => {
    for (const { metric, name } of metrics) {
      const isLast = metric.remove(source)
      if (isLast && registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name)
    }
    weak.deref()?.off('close', stop)
  }
  engine.on('close', stop)
  return { registry, stop }
}

interface NamedMetric {
  readonly name: string
  readonly metric: SharedMetric
  readonly isNew: boolean
}

/** Nothing is registered yet when one of them cannot be. */
function metricsIn(
  registry: MetricRegistry,
  { prefix, labels }: CheckedMetricsOptions,
): readonly NamedMetric[] {
  return metricDefinitions.map((definition) => {
    const name = `${prefix}${definition.name}`
    const found = registry.getSingleMetric(name)
    if (found === undefined || found === null) {
      return { name, metric: new SharedMetric(definition, prefix), isNew: true }
    }
    if (!SharedMetric.is(found)) {
      throw invalid(
        `prefix: the registry has another metric called ${name}; give another \`prefix\``,
      )
    }
    if (found.sourceOf(labels) !== undefined) {
      throw invalid(
        `name: the registry shows another engine with pipeline="${labels['pipeline']}"; give one of them another \`name\``,
      )
    }
    return { name, metric: found, isNew: false }
  })
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
