import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { milliseconds, perSecond, times } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { BatchCurve, Fig3Data } from './fig3-data.ts'

export function presentFig3({ published, live }: Fig3Data): Presentation {
  return {
    findings: [gpus(published), preprocess(published), here(live)],
    plots: [
      ...plotsOf('published', published),
      ...(live.length > 0 ? plotsOf('measured here', live) : []),
    ],
    tables: [tableOf([...published, ...live])],
  }
}

type Point = BatchCurve['points'][number]

function ratePerS({ batch, meanMs }: Point): number {
  return (1000 * batch) / meanMs
}

/** Throughput, and time of a batch, of the largest over those of a single row. */
function gainOf({ points }: BatchCurve) {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return { batch: 1, throughput: 1, latency: 1 }
  const throughput = ratePerS(last) / ratePerS(first)
  return { batch: last.batch, throughput, latency: last.meanMs / first.meanMs }
}

function gainText(curve: BatchCurve): string {
  const { batch, throughput, latency } = gainOf(curve)
  return `${curve.name} ${times(throughput)} the throughput at ${times(latency)} the latency (batch ${batch})`
}

function gpus(curves: readonly BatchCurve[]): Finding {
  const models = curves.filter(({ name }) => name.includes('K80'))
  const isSo = models.every((curve) => gainOf(curve).throughput > 1.5)
  return {
    claim: 'Models on a GPU gain throughput from batches, at the price of latency',
    published: 'ResNet-152 and NMT gain throughput at the price of latency',
    confidence: 'sure',
    ours: models.map(gainText).join('; '),
    verdict: isSo ? 'confirmed' : 'not confirmed',
    reason: isSo
      ? 'Each of them does more than half as much again with its largest batch, and each batch takes longer.'
      : 'Not every one of them does half as much again with its largest batch.',
  }
}

function preprocess(curves: readonly BatchCurve[]): Finding {
  const language = curves.find(({ name }) => name.startsWith('language'))
  return {
    claim: 'Preprocessing gains nothing from batches',
    published: 'preprocessing gains nothing from batching',
    confidence: 'sure',
    ours: `taken over: the profile has batches of 1 alone${language ? `; for comparison ${gainText(language)}` : ''}`,
    verdict: 'reported',
    reason: 'The paper publishes one number for preprocessing, so there is nothing to check it by.',
  }
}

function here(curves: readonly BatchCurve[]): Finding {
  const isSo = curves.some((curve) => gainOf(curve).throughput > 1.1)
  return {
    claim: 'The same trade holds on this machine',
    published: 'throughput and latency rise with the batch, model by model',
    confidence: 'sure',
    ours:
      curves.length === 0
        ? 'not measured: the models of examples/01-digits-cascade are in a checkout alone'
        : curves.map(gainText).join('; '),
    verdict: curves.length === 0 ? 'reported' : isSo ? 'confirmed' : 'not confirmed',
    reason:
      curves.length === 0
        ? 'There was nothing to measure.'
        : isSo
          ? 'A model here does more with larger batches, which take longer.'
          : 'No model here does a tenth more with larger batches.',
    ...(curves.length > 0 && {
      analysis:
        'On one thread of a CPU a batch saves what a call costs beside the arithmetic, and little else: a model whose row takes microseconds gains much, one that fills the core with a single row gains little. A GPU has idle units for a batch to fill.',
    }),
  }
}

function plotsOf(what: string, curves: readonly BatchCurve[]): readonly Plot[] {
  const x = { name: 'batch (rows)', kind: 'log' as const }
  const series = (value: (point: Point) => number) =>
    curves.map(({ name, points }) => ({
      name,
      kind: 'line' as const,
      points: points.map((point) => [point.batch, value(point)] as const),
    }))
  const name = what.replaceAll(' ', '-')
  return [
    {
      name: `throughput-${name}`,
      title: `${what}: throughput`,
      x,
      y: { name: 'throughput (rows/s)', kind: 'log' },
      series: series(ratePerS),
    },
    {
      name: `latency-${name}`,
      title: `${what}: time of a batch`,
      x,
      y: { name: 'service time (ms)', kind: 'log' },
      series: series(({ meanMs }) => meanMs),
    },
  ]
}

function tableOf(curves: readonly BatchCurve[]): FigureTable {
  const rows = curves.flatMap(({ name, points }) =>
    points.map((point) => [
      name,
      `${point.batch}`,
      milliseconds(point.meanMs),
      perSecond(ratePerS(point)),
    ]),
  )
  return { title: 'Profiles', rows: [['model', 'batch', 'time of a batch', 'throughput'], ...rows] }
}
