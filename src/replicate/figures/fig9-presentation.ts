import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { milliseconds, outOf, percent, perSecond } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { Fig9Data, Fig9Run } from './fig9-data.ts'

const near = 0.15

export function presentFig9(data: Fig9Data): Presentation {
  if (data.runs.length === 0) return { findings: [notMeasured], plots: [], tables: [] }
  return {
    findings: [follows(data), inTime(data)],
    plots: [plotOf(data, 'p99Ms', 'p99'), plotOf(data, 'p50Ms', 'median')],
    tables: [tableOf(data)],
  }
}

const claim = 'The measured p99 follows the estimated one'
const published =
  'measured p99 follows the estimated one, and stays under the objective for most plans'

const notMeasured: Finding = {
  claim,
  published,
  confidence: 'likely',
  ours: 'not measured: the models of examples/01-digits-cascade are in a checkout alone',
  verdict: 'reported',
  reason: 'There was nothing to measure.',
}

function nameOf({ load, cv2 }: Fig9Run): string {
  return `load ${load}, cv² ${cv2}`
}

function errorOf({ estimated, measured }: Fig9Run): number {
  return estimated.p99Ms / measured.p99Ms - 1
}

function follows({ runs, loadAverage, cores }: Fig9Data): Finding {
  const close = runs.filter((run) => Math.abs(errorOf(run)) <= near)
  const mean = runs.reduce((sum, run) => sum + Math.abs(errorOf(run)), 0) / runs.length
  const far = runs.filter((run) => !close.includes(run))
  const text = (run: Fig9Run) => {
    return `${nameOf(run)}: ${milliseconds(run.estimated.p99Ms)} estimated, ${milliseconds(run.measured.p99Ms)} measured`
  }
  return {
    claim,
    published,
    confidence: 'likely',
    ours: `p99 within ${100 * near} % in ${outOf(close.length, runs.length)} runs; mean error ${percent(mean, 1)}`,
    verdict:
      close.length === runs.length
        ? 'confirmed'
        : close.length > runs.length / 2
          ? 'confirmed in part'
          : 'not confirmed',
    reason: `The estimate is within ${100 * near} % of what was measured in ${close.length === runs.length ? 'every run' : close.length > runs.length / 2 ? 'most runs' : close.length === 0 ? 'no run' : 'fewer than half of the runs'}.`,
    ...(far.length > 0 && {
      analysis: `Farther off: ${far.map(text).join('; ')}. Before the run ${loadAverage.toFixed(1)} threads of others wanted the ${cores} cores${loadAverage > cores / 4 ? ': they are not in the profile’s idea of a machine, and stop a batch for milliseconds now and then, which is most of the difference' : ''}. Of a few hundred requests the p99 is the third or fourth slowest, so one stall moves it; the bench trial estimate-vs-live has longer runs, and tells the machine’s part from the model’s.`,
    }),
  }
}

function inTime({ runs, latencyMs }: Fig9Data): Finding {
  const points = runs.map(
    ({ estimated, measured }) => 100 * Math.abs(estimated.attainment - measured.attainment),
  )
  const worst = Math.max(...points)
  return {
    claim: 'Estimated attainment is that of the engine',
    published: 'AlpaServe’s simulator: within 0.5 points on average, 1.6 at most',
    confidence: 'sure',
    ours: `${(points.reduce((sum, each) => sum + each, 0) / points.length).toFixed(2)} points off on average, ${worst.toFixed(2)} at most (within ${latencyMs} ms)`,
    verdict: worst <= 1.6 ? 'confirmed' : 'confirmed in part',
    reason: `The worst run is ${worst <= 1.6 ? 'within' : 'beyond'} the 1.6 points of the published simulator.`,
    ...(worst > 1.6 && {
      analysis: `Runs of a few seconds on shared cores: ${runs.map((run, at) => `${nameOf(run)} ${points[at]?.toFixed(2)}`).join(', ')} points.`,
    }),
  }
}

function plotOf({ runs }: Fig9Data, figure: 'p50Ms' | 'p99Ms', name: string): Plot {
  const series = (['estimated', 'measured'] as const).map((which) => ({
    name: which,
    kind: 'bar' as const,
    points: runs.map((run, at) => [at, run[which][figure]] as const),
  }))
  return {
    name,
    title: `${name} by load and burstiness`,
    x: {
      name: 'load; cv²',
      kind: 'category',
      categories: runs.map(({ load, cv2 }) => `${100 * load} %; ${cv2}`),
    },
    y: { name: `${name} latency (ms)` },
    series,
  }
}

function tableOf({ runs, images }: Fig9Data): FigureTable {
  const heading = [
    'run',
    'requests',
    'rate',
    'p50 est.',
    'p50',
    'p99 est.',
    'p99',
    'attainment est.',
    'attainment',
    'sent late',
  ]
  const rows = runs.map((run) => {
    const { estimated, measured } = run
    return [
      nameOf(run),
      `${run.requests}`,
      perSecond(run.ratePerS),
      milliseconds(estimated.p50Ms),
      milliseconds(measured.p50Ms),
      milliseconds(estimated.p99Ms),
      milliseconds(measured.p99Ms),
      percent(estimated.attainment),
      percent(measured.attainment),
      `${run.sentLate}`,
    ]
  })
  return {
    title: `Estimated and measured; a request has ${images} images`,
    rows: [heading, ...rows],
  }
}
