import type { ReplayReport } from '../engine/replay-report.ts'
import type { Estimate } from '../estimator/estimate.ts'
import type { CompleteConfiguration } from '../pipeline/configuration.ts'
import { formatCount, formatMs, formatNumber, formatRate, formatShare } from './quantity.ts'
import { formatPairs, formatTable } from './table.ts'
import { formatTuning, type TuningReport } from './tuning-report.ts'

/** What `millrace run --json` prints. */
export interface RunReport {
  /** Name of the pipeline. */
  readonly pipeline: string
  /** The objective's latency; undefined where none was given. */
  readonly latencyMs: number | undefined
  readonly configuration: CompleteConfiguration
  readonly measured: Omit<ReplayReport, 'latenciesMs'>
  /** Undefined where there was nothing to predict from. */
  readonly estimate: Estimate | undefined
  /** Undefined where nothing was tuned. */
  readonly tuned: TuningReport | undefined
}

/** For a person to read; `trace` is the name of its file. */
export function formatRun(report: RunReport, { trace }: { readonly trace: string }): string {
  const { requests, durationMs } = report.measured
  const rate = formatRate((requests * 1000) / durationMs)
  const seconds = formatNumber(durationMs / 1000)
  const title = `${report.pipeline}: ${formatCount(requests)} requests of ${trace} in ${seconds} s, ${rate}`
  const { tuned } = report
  const tuning = tuned === undefined ? [] : [formatTuning(tuned)]
  return [title, latencies(report), remarks(report), stages(report), ...tuning].join('\n\n')
}

function latencies({ measured, estimate, latencyMs }: RunReport): string {
  const heading = ['', 'measured', ...(estimate ? ['predicted', 'difference'] : [])]
  const rows = (['p50Ms', 'p95Ms', 'p99Ms', 'maxMs'] as const).map((key) => [
    key.replace('Ms', ''),
    formatMs(measured[key]),
    ...(estimate ? [formatMs(estimate[key]), relative(estimate[key], measured[key])] : []),
  ])
  if (measured.attainment === undefined) return formatTable([heading, ...rows])
  const points = ((estimate?.attainment ?? 0) - measured.attainment) * 100
  const attained = [
    `within ${latencyMs} ms`,
    formatShare(measured.attainment),
    ...(estimate ? [formatShare(estimate.attainment), `${signed(points, 2)} points`] : []),
  ]
  return formatTable([heading, ...rows, attained])
}

function remarks({ measured, estimate }: RunReport): string {
  const { requests, failed, sentLate, coreMs } = measured
  const failures = Object.entries(failed).map(([code, count]) => `${formatCount(count)} ${code}`)
  const pairs: [string, string][] = [
    ['failed', failures.length === 0 ? 'none' : failures.join(', ')],
    ['sent late', `${formatCount(sentLate)} requests by more than 1 ms`],
    [
      'in the core',
      `p50 ${formatMs(coreMs.p50)}, p95 ${formatMs(coreMs.p95)}, p99 ${formatMs(coreMs.p99)}, warm-up included`,
    ],
  ]
  if (estimate && estimate.requests !== requests) {
    const other = `for another trace, of ${formatCount(estimate.requests)} requests`
    pairs.push(['predicted', `${other}; --profile FILE predicts for this one`])
  }
  return formatPairs(pairs)
}

function stages({ configuration, measured, estimate }: RunReport): string {
  const heading = [
    'stage',
    'tier',
    'max batch',
    'replicas',
    'rows',
    'mean batch',
    'busy',
    'queue p99',
  ]
  const rows = Object.entries(measured.stages).map(([name, stage]) => {
    const { tier = '', maxBatch = 0 } = configuration[name] ?? {}
    const predicted = estimate?.stages[name]
    return [
      name,
      tier,
      String(maxBatch),
      String(stage.replicas),
      beside(formatCount(stage.visits), predicted && formatCount(predicted.visits)),
      beside(formatNumber(stage.meanBatch), predicted && formatNumber(predicted.meanBatch)),
      beside(formatShare(stage.utilization), predicted && formatShare(predicted.utilization)),
      beside(formatMs(stage.queueP99Ms), predicted && formatMs(predicted.queueP99Ms)),
    ]
  })
  const note = estimate ? '\n\n(In brackets what was predicted.)' : ''
  return formatTable([heading, ...rows]) + note
}

function beside(measured: string, predicted: string | undefined): string {
  return predicted === undefined ? measured : `${measured} (${predicted})`
}

function relative(predicted: number, measured: number): string {
  return measured > 0 ? `${signed((predicted / measured - 1) * 100, 1)} %` : '-'
}

function signed(value: number, decimals: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(decimals)}`
}
