import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { dollars, milliseconds, outOf, percent } from '../number-text.ts'
import type { Plot, PlotAxis } from '../plot.ts'
import type { Fig7Data, Fig7Point } from './fig7-data.ts'

const about = 0.99

export function presentFig7(data: Fig7Data): Presentation {
  return {
    findings: [tunerKeeps(data), inProcess(data), planDegrades(data), others(data)],
    plots: cv2sOf(data).flatMap((cv2) => plotsOf(data, cv2)),
    tables: [tableOf(data)],
  }
}

function cv2sOf({ points }: Fig7Data): readonly number[] {
  return [...new Set(points.map(({ cv2 }) => cv2))]
}

function systemsOf({ points }: Fig7Data): readonly string[] {
  return [...new Set(points.map(({ system }) => system))]
}

function nameOf({ transitionMs, cv2 }: Fig7Point): string {
  return `${transitionMs / 1000} s, cv2 ${cv2}`
}

function rangeText(points: readonly Fig7Point[]): string {
  const shares = points.map(({ attainment }) => attainment)
  return `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))}`
}

function tunerKeeps(data: Fig7Data): Finding {
  const { points, activationMs, fromRatePerS, toRatePerS } = data
  const risen = (rampMs: number) => ((toRatePerS - fromRatePerS) * activationMs) / rampMs
  const own = points.filter(({ system }) => system === 'millrace')
  const short = own.filter(({ attainment }) => attainment < about)
  const fast = short.map((point) => {
    return `${nameOf(point)} ${percent(point.attainment)} (${point.late} of ${point.requests} late)`
  })
  return {
    claim: 'The tuner keeps about 99 % in time through a ramp',
    published: 'tuner keeps about 99 %',
    confidence: 'likely',
    ours: `${rangeText(own)}; at least 99 % at ${own.length - short.length} of ${own.length} ramps`,
    verdict:
      short.length === 0
        ? 'confirmed'
        : short.length < own.length
          ? 'confirmed in part'
          : 'not confirmed',
    reason:
      short.length === 0
        ? 'At least 99 % are in time on every ramp.'
        : `Where added replicas take ${activationMs / 1000} s to serve, ${outOf(short.length, own.length)} ramps rise faster than that, or burst beyond what the plan has in reserve.`,
    ...(short.length > 0 && {
      analysis: `Short of it: ${fast.join('; ')}. While an added replica takes ${activationMs / 1000} s, the rate goes on rising: by all ${toRatePerS - fromRatePerS}/s where the ramp is no longer than that, by ${risen(15_000).toFixed(0)}/s on one of 15 s, by ${risen(60_000).toFixed(0)}/s on one of a minute. For so long the old replicas serve it with what slack the plan has, and what queued up meanwhile is late, too; in a trace of two to four minutes a few seconds of that are percents. The next finding leaves that time out.`,
    }),
  }
}

function inProcess({ points }: Fig7Data): Finding {
  const of = (name: string) => points.filter(({ system }) => system === name)
  const [fast, slow] = [of('millrace, in process'), of('millrace')]
  const sum = (some: readonly Fig7Point[]) => some.reduce((all, { late }) => all + late, 0)
  const short = fast.filter(({ attainment }) => attainment < about)
  return {
    claim: 'Replicas that serve at once keep it on the steepest ramp, too',
    published: 'no figure: replicas of the paper’s cluster take about 5 s',
    confidence: 'ours',
    ours: `${rangeText(fast)}; ${sum(fast)} late in all, instead of ${sum(slow)}`,
    verdict: short.length === 0 ? 'confirmed' : 'not confirmed',
    reason:
      short.length === 0
        ? 'At least 99 % are in time on every ramp, the steepest among them.'
        : `${outOf(short.length, fast.length)} ramps are below 99 %.`,
    ...(short.length > 0 && { analysis: `Short of 99 %: ${short.map(nameOf).join('; ')}.` }),
  }
}

function planDegrades({ points }: Fig7Data): Finding {
  const alone = points.filter(({ system }) => system === 'no tuner')
  const worse = alone.filter(({ attainment }) => attainment < about)
  return {
    claim: 'A plan without a tuner degrades',
    published: 'planner alone degrades',
    confidence: 'likely',
    ours: `${rangeText(alone)} in time; below 99 % at ${worse.length} of ${alone.length} ramps`,
    verdict: worse.length === alone.length ? 'confirmed' : 'confirmed in part',
    reason: `Without a tuner fewer than 99 % are in time on ${worse.length === alone.length ? 'every ramp' : outOf(worse.length, alone.length)}.`,
  }
}

function others(data: Fig7Data): Finding {
  const list = systemsOf(data).map((system) => {
    const own = data.points.filter((point) => point.system === system)
    const mean = own.reduce((sum, { costPerHour }) => sum + costPerHour, 0) / own.length
    return `${system} ${rangeText(own)} at ${dollars(mean)}/h on average`
  })
  return {
    claim: 'What the others attain, and what it costs',
    published: 'no figure',
    confidence: 'ours',
    ours: list.join('; '),
    verdict: 'reported',
    reason: 'The paper gives no figure to compare with.',
  }
}

function plotsOf(data: Fig7Data, cv2: number): readonly Plot[] {
  const own = data.points.filter((point) => point.cv2 === cv2)
  const transitions = [...new Set(own.map(({ transitionMs }) => transitionMs))]
  const categories = transitions.map((each) => `${each / 1000}`)
  const x = { name: 'length of the ramp (s)', kind: 'category' as const, categories }
  const series = (value: (point: Fig7Point) => number) =>
    systemsOf(data).map((name) => ({
      name,
      kind: 'line' as const,
      points: transitions.map((transitionMs, at) => {
        const point = own.find((each) => each.system === name && each.transitionMs === transitionMs)
        return [at, point === undefined ? null : value(point)] as const
      }),
    }))
  return [
    {
      name: `attainment-${cv2}`,
      title: `cv² ${cv2}: within ${data.latencyMs} ms`,
      x,
      y: shareAxis(own),
      series: series(({ attainment }) => 100 * attainment),
      mark: { y: 100 * about, text: '99 %' },
    },
    {
      name: `cost-${cv2}`,
      title: `cv² ${cv2}: cost`,
      x,
      y: { name: 'mean cost ($/h)', min: 0 },
      series: series(({ costPerHour }) => costPerHour),
    },
  ]
}

const leastDrawn = 94

/** A plan without a tuner is so far below that the others would be one line beside it. */
function shareAxis(points: readonly Fig7Point[]): PlotAxis {
  const isBelow = points.some(({ attainment }) => 100 * attainment < leastDrawn)
  if (!isBelow) return { name: 'attainment (%)', scaled: true, max: 100 }
  return { name: `attainment (%), from ${leastDrawn} up`, min: leastDrawn, max: 100 }
}

function tableOf({ points }: Fig7Data): FigureTable {
  const heading = [
    'ramp',
    'system',
    'attainment',
    'late',
    'p99',
    'cost',
    'plan alone, before the ramp',
  ]
  const rows = points.map((point) => [
    nameOf(point),
    point.system,
    percent(point.attainment),
    `${point.late}`,
    milliseconds(point.p99Ms),
    `${dollars(point.costPerHour)}/h`,
    percent(point.plannedAttainment),
  ])
  return { title: 'Ramps', rows: [heading, ...rows] }
}
