import { checkNumber, checkObject, checkRecord, checkString, describe } from '../check.ts'
import { checkBounds, type HistogramBounds } from '../engine/histograms.ts'
import { MillraceError } from '../errors.ts'
import type { Prices } from './cost-per-hour.ts'
import { defaultPrices } from './default-prices.ts'
import type { MeteredEngine } from './engine-reading.ts'
import { metricBuckets } from './metric-buckets.ts'
import type { Labels } from './metric-definition.ts'
import { checkRegistry, type MetricRegistry, newRegistry } from './metric-registry.ts'

/** Where and how an engine's metrics are shown. */
export interface MetricsOptions {
  /**
   * Where the metrics are registered: a Registry of prom-client 15 or of @prometheus-io/client. Default: a new one of
   * prom-client, never its global one; give `register` of prom-client for that.
   */
  readonly registry?: MetricRegistry | undefined
  /** What names begin with: letters, digits and '_', the first no digit. Default `millrace_`. */
  readonly prefix?: string | undefined
  /** Value of the label `pipeline`, which tells the engines of a registry apart. Default: the pipeline's name. */
  readonly name?: string | undefined
  /** Further labels that every series of this engine has. Default none. */
  readonly labels?: Labels | undefined
  /** What slots cost, for the cost per hour. Default: the prices that come with Millrace. */
  readonly hardware?: Prices | undefined
  /**
   * Upper ends of the buckets of histograms, ascending and at least 0; +Inf is added. Default: for times, shares of the
   * objective's latency, closest around it (see src/observe/README.md); for rows, powers of two up to 256.
   */
  readonly buckets?: Partial<HistogramBounds> | undefined
}

export interface CheckedMetricsOptions {
  readonly registry: MetricRegistry
  readonly prefix: string
  readonly labels: Labels
  readonly bounds: HistogramBounds
  readonly prices: Prices
}

const keys = ['registry', 'prefix', 'name', 'labels', 'hardware', 'buckets'] as const
const namePattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const ownLabels = ['pipeline', 'stage', 'outcome', 'reason', 'result', 'window', 'le', 'quantile']

/** @throws {MillraceError} MILLRACE_INVALID_OPTION */
export function readMetricsOptions(
  { pipeline }: MeteredEngine,
  options: unknown,
): CheckedMetricsOptions {
  const given = checkObject(options, { name: 'metrics options', keys })
  const { prefix = 'millrace_', name = pipeline.name, labels = {}, buckets = {} } = given
  const { registry, hardware } = given
  return {
    prefix: checkName(prefix, 'prefix'),
    labels: { pipeline: checkString(name, { name: 'name' }), ...checkLabels(labels) },
    bounds: { ...metricBuckets(pipeline.objective), ...checkBuckets(buckets) },
    prices: hardware === undefined ? defaultPrices() : checkPrices(hardware),
    // Last: nothing is loaded for options that are wrong.
    registry: registry === undefined ? newRegistry() : checkRegistry(registry),
  }
}

function checkName(value: unknown, name: string): string {
  if (typeof value === 'string' && namePattern.test(value)) return value
  const expected = "expected letters, digits and '_', the first no digit"
  throw invalid(`${name}: ${expected}, got ${describe(value)}; Prometheus takes no other names`)
}

function checkLabels(value: unknown): Labels {
  const labels = checkRecord(value, { name: 'labels' })
  const entries = Object.entries(labels).map(([label, text]) => {
    checkName(label, 'labels')
    if (ownLabels.includes(label) || label.startsWith('__')) {
      throw invalid(`labels: "${label}" has a meaning of its own; give it another name`)
    }
    return [label, checkString(text, { name: `labels.${label}` })] as const
  })
  return Object.fromEntries(entries)
}

function checkBuckets(value: unknown): Partial<HistogramBounds> {
  const names = ['latencyMs', 'stageMs', 'batchRows'] as const
  const given = checkObject(value, { name: 'buckets', keys: names })
  const entries = names.flatMap((name) => {
    const bounds = given[name]
    return bounds === undefined ? [] : [[name, checkBounds(bounds, `buckets.${name}`)] as const]
  })
  return Object.fromEntries(entries)
}

function checkPrices(value: unknown): Prices {
  const tiers = checkRecord((checkRecord(value, { name: 'hardware' }) as Partial<Prices>).tiers, {
    name: 'hardware.tiers',
  })
  for (const [tier, slot] of Object.entries(tiers)) {
    const { pricePerHour } = checkRecord(slot, { name: `hardware.tiers.${tier}` })
    checkNumber(pricePerHour, { name: `hardware.tiers.${tier}.pricePerHour`, min: 0 })
  }
  return value as Prices
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
