/**
 * Whether what the estimator says of a configuration is what the engine then does here.
 *
 *   profile    measured before each run, in this process, with the requests that are sent later
 *   capacity   of the configuration, in a closed loop with a backlog
 *   runs       40, 60 and 80 % of the capacity, gaps of squared coefficient of variation 1 and 4: a trace is replayed
 *              open-loop in real time, and what was really sent is estimated (service times drawn from the measured spread)
 *   repeats    the same trace three times, one after the other; what is measured is the one with the median p99, and the
 *              other two say how near a run is to itself: an estimate cannot be nearer
 *
 * Latencies are those the caller sees, from when the request was sent: threads of this machine may sleep a millisecond too
 * long, which is the generator's fault and not the engine's. What the estimate would have been had each stage taken as long
 * as it did in the run is reported beside: so much of the error is due to the machine's being faster or slower by then.
 */
import { fileURLToPath } from 'node:url'
import {
  Engine,
  Estimator,
  type Hardware,
  type InputsOf,
  type Pipeline,
  type PlannedConfiguration,
  type Profile,
  Profiler,
  type ReplayReport,
  readHardware,
  replay,
  Trace,
} from '../../dist/index.js'
import { serviceTimeMs } from '../../dist/profile/service-time.js'
import { closedLoop } from '../load/closed-loop.ts'
import { rounded } from './rounds.ts'
import { type ServedPipeline, servedPipelines } from './served-pipelines.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const loads = [0.4, 0.6, 0.8]
const cv2s = [1, 4]
const tolerance = 0.15
const repeats = 3
const inFlight = 32
const capacityMs = 4000
const hardwareFile = fileURLToPath(new URL('../../profiles/hardware.json', import.meta.url))

type Figures = { p50Ms: number; p99Ms: number; attainment: number }
type Repeat = Figures & { report: ReplayReport }
type Run = {
  pipeline: string
  load: number
  cv2: number
  ratePerS: number
  requests: number
  predicted: Figures
  measured: Figures & { sentLate: number }
  /** The other runs of the trace. */
  others: readonly Figures[]
  /** Of the p99, as a share of what was measured; below 0 where less was predicted. */
  error: number
  /** The same, of a prediction with the service times of the run. */
  errorOfModel: number
  /** How far the p99 of the other runs of the same trace is from that, each. */
  errorsOfOthers: readonly number[]
  attainmentPoints: number
  attainmentPointsOfOthers: number
}

export const estimateVsLive: Trial = {
  name: 'estimate-vs-live',
  measures:
    'share of live runs whose p99 was predicted within 15 %: 3 pipelines, 3 loads, cv2 1 and 4',
  unit: 'share of runs',
  target: { figure: 'ours', atLeast: 0.9 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const runs: Run[] = []
  const profiles: Record<string, ReturnType<typeof gistOf>[]> = {}
  const hardware = await readHardware(hardwareFile)
  for (const served of await servedPipelines()) {
    const { pipeline } = served
    const profiler = new Profiler(pipeline, { samples: served.requests, minRuns: quick ? 20 : 100 })
    for (const load of loads) {
      for (const [seed, cv2] of cv2s.entries()) {
        const profile = await profiler.run()
        profiles[pipeline.name] = [...(profiles[pipeline.name] ?? []), gistOf(profile)]
        const one = await serve(served, { profile, hardware, load, cv2, seed, quick })
        runs.push(one)
        console.error(`  ${textOf(one)}`)
      }
    }
  }
  return compare(runs, profiles)
}

/** What of a profile differs from one time to the next; paths and quantiles are megabytes. */
function gistOf({ stages, overhead, contention, timeSharing }: Profile) {
  const means = Object.entries(stages).map(([name, { tiers = {} }]) => {
    const each = Object.entries(tiers).map(([tier, { points }]) => {
      return [tier, points.map(({ batch, meanMs }) => [batch, meanMs])] as const
    })
    return [name, Object.fromEntries(each)] as const
  })
  return { overhead, contention, timeSharing, meanMs: Object.fromEntries(means) }
}

type Terms = {
  profile: Profile
  hardware: Hardware
  load: number
  cv2: number
  seed: number
  quick: boolean
}

async function serve(served: ServedPipeline, terms: Terms): Promise<Run> {
  const { pipeline, maxPendingRows } = served
  const { profile, load, cv2, seed, quick, hardware } = terms
  const configuration = within(served, profile)
  const latencyMs = pipeline.objective?.latencyMs ?? Number.MAX_VALUE
  await using engine = await Engine.start(pipeline, {
    configuration,
    maxPendingRows,
    overload: 'queue',
  })
  const capacityPerS = await capacityOf(engine, served)
  const ratePerS = load * capacityPerS
  const requests = served.requestsPerRun / (quick ? 10 : 1)
  const meant = Trace.gamma({ ratePerS, cv2, durationMs: (requests / ratePerS) * 1000, seed })
  const { arrivalsMs } = meant
  const all: Repeat[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    const report = await replay(engine, { arrivalsMs, requests: served.requests, latencyMs })
    all.push({ ...sinceSent(report, { arrivalsMs, latencyMs }), report })
  }
  const [{ report, ...measured }, others] = medianOf(all)
  const trace = new Trace({ arrivalsMs: report.sentAtMs })
  const estimate = async (given: Profile) => {
    const estimator = new Estimator({ profile: given, hardware, serviceTimes: 'drawn' })
    return figuresOf(await estimator.estimate(configuration, { trace, objective: { latencyMs } }))
  }
  const predicted = await estimate(profile)
  const asRun = await estimate(withServiceOf(report, profile))
  const pointsFrom = (other: Figures) => 100 * Math.abs(other.attainment - measured.attainment)
  const errorOf = ({ p99Ms }: Figures) => rounded(p99Ms / measured.p99Ms - 1)
  return {
    pipeline: pipeline.name,
    load,
    cv2,
    ratePerS: rounded(ratePerS),
    requests: report.requests,
    predicted,
    measured: { ...measured, sentLate: report.sentLate },
    others,
    error: errorOf(predicted),
    errorOfModel: errorOf(asRun),
    errorsOfOthers: others.map(errorOf),
    attainmentPoints: pointsFrom(predicted),
    attainmentPointsOfOthers: Math.max(...others.map(pointsFrom)),
  }
}

/** The run with the median p99, and the others. */
function medianOf(all: readonly Repeat[]): readonly [Repeat, readonly Figures[]] {
  const sorted = all.toSorted((a, b) => a.p99Ms - b.p99Ms)
  const [median] = sorted.splice(sorted.length >> 1, 1)
  return [median as Repeat, sorted.map(figuresOf)]
}

function sinceSent(
  { latenciesMs, sentAtMs }: ReplayReport,
  { arrivalsMs, latencyMs }: { arrivalsMs: Float64Array; latencyMs: number },
): Figures {
  const sorted = latenciesMs
    .map((fromMeantMs, at) => {
      const lateMs = (sentAtMs[at] ?? Number.NaN) - (arrivalsMs[at] ?? Number.NaN)
      return Number.isNaN(fromMeantMs) ? Number.POSITIVE_INFINITY : fromMeantMs - lateMs
    })
    .sort()
  const rank = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN
  const attained = sorted.filter((each) => each <= latencyMs).length / sorted.length
  return figuresOf({ p50Ms: rank(0.5), p99Ms: rank(0.99), attainment: attained })
}

/** Each stage of the profile as much slower or faster as its batches were in the run. */
function withServiceOf({ stages }: ReplayReport, profile: Profile): Profile {
  const scaled = Object.entries(profile.stages).map(([name, stage]) => {
    const { meanBatch = 0, meanServiceMs = 0 } = stages[name] ?? {}
    const tiers = Object.entries(stage.tiers ?? {}).map(([tier, measured]) => {
      const { points } = measured
      const factor = meanBatch === 0 ? 1 : meanServiceMs / serviceTimeMs(points, meanBatch)
      const changed = points.map((point) => ({ ...point, meanMs: factor * point.meanMs }))
      // The run's own mean has in it what resting costs, and what lies between batches.
      return [tier, { ...measured, points: changed, wakeMs: 0 }] as const
    })
    return [name, { ...stage, hopMs: 0, tiers: Object.fromEntries(tiers) }] as const
  })
  // As it has what threads slow each other down.
  return { ...profile, stages: Object.fromEntries(scaled), contention: undefined }
}

async function capacityOf(engine: Engine, { requests }: ServedPipeline): Promise<number> {
  let sent = 0
  const send = () => engine.infer(requests[sent++ % requests.length] as InputsOf<Pipeline>)
  await closedLoop({ inFlight, durationMs: capacityMs / 4, send })
  const { throughputPerS } = await closedLoop({ inFlight, durationMs: capacityMs, send })
  return throughputPerS
}

/** The configuration, with batches no larger than was worth measuring. */
function within({ configuration }: ServedPipeline, { stages }: Profile): PlannedConfiguration {
  const limited = Object.entries(configuration).map(([name, stage]) => {
    const points = stages[name]?.tiers?.[stage.tier]?.points ?? []
    return [name, { ...stage, maxBatch: Math.min(stage.maxBatch, points.at(-1)?.batch ?? 1) }]
  })
  return Object.fromEntries(limited)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function figuresOf({ p50Ms, p99Ms, attainment }: Figures): Figures {
  return { p50Ms: rounded(p50Ms), p99Ms: rounded(p99Ms), attainment: rounded(attainment) }
}

function textOf(run: Run): string {
  const { pipeline, load, cv2, predicted, measured, others, errorsOfOthers } = run
  const [percent, ofModel, ...ofOthers] = [run.error, run.errorOfModel, ...errorsOfOthers].map(
    (error) => `${(100 * error).toFixed(1)} %`,
  )
  const measuredToo = others.map(({ p99Ms }) => p99Ms).join(' and ')
  return `${pipeline}, load ${load}, cv2 ${cv2}, ${run.ratePerS}/s: p99 ${predicted.p99Ms} ms predicted, ${measured.p99Ms} measured (${measuredToo} in other runs): ${percent} (${ofModel} by the run's own service times; other runs ${ofOthers.join(', ')})`
}

function compare(runs: readonly Run[], profiles: object): Comparison[] {
  const predicted = nearness(runs.map(({ error }) => error))
  const again = nearness(runs.flatMap(({ errorsOfOthers }) => errorsOfOthers))
  const model = nearness(runs.map(({ errorOfModel }) => errorOfModel))
  const sentAgain = `other runs of the same traces: ${again.text}`
  return [
    {
      case: `p99 within 15 %: ${predicted.text}`,
      ours: predicted.share,
      reference: again.share,
      referenceName: sentAgain,
      details: { runs, meanError: predicted.meanError, profiles },
    },
    {
      case: `the same, by the run’s own service times: ${model.text}`,
      ours: model.share,
      reference: again.share,
      referenceName: sentAgain,
    },
    {
      case: 'attainment, worst',
      unit: 'points',
      ours: Math.max(...runs.map(({ attainmentPoints }) => attainmentPoints)),
      reference: Math.max(...runs.map((one) => one.attainmentPointsOfOthers)),
      referenceName: 'other runs of the same traces; against the objectives of the pipelines',
      target: { figure: 'ours', atMost: 1 },
    },
  ]
}

/** How many of the errors are small enough. */
function nearness(errors: readonly number[]) {
  const sizes = errors.map((error) => Math.abs(error))
  const near = sizes.filter((error) => error <= tolerance).length
  // A run that lost more than 1 % of its requests has no p99.
  const told = sizes.filter(Number.isFinite)
  const meanError = mean(told)
  const without = told.length < sizes.length ? `, ${sizes.length - told.length} without a p99` : ''
  const text = `${near} of ${errors.length} runs, mean error ${(100 * meanError).toFixed(1)} %${without}`
  return { share: near / errors.length, meanError, text }
}
