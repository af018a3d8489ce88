/**
 * Whether what the estimator says of a configuration is what the engine then does here.
 *
 *   profile    measured before the runs of each load, in this process, with the requests that are sent later
 *   capacity   of the configuration, in a closed loop with a backlog
 *   runs       40, 60 and 80 % of the capacity, gaps of squared coefficient of variation 1 and 4: a trace is replayed
 *              open-loop in real time, and what was really sent is estimated (service times drawn from the measured spread)
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
const inFlight = 32
const capacityMs = 4000
const hardwareFile = fileURLToPath(new URL('../../profiles/hardware.json', import.meta.url))

type Figures = { p50Ms: number; p99Ms: number; attainment: number }
type Run = {
  pipeline: string
  load: number
  cv2: number
  ratePerS: number
  requests: number
  predicted: Figures
  measured: Figures & { sentLate: number }
  /** Of the p99, as a share of what was measured; below 0 where less was predicted. */
  error: number
  /** The same, of a prediction with the service times of the run. */
  errorOfModel: number
  attainmentPoints: number
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
  const profiles: Record<string, Profile[]> = {}
  const hardware = await readHardware(hardwareFile)
  for (const served of await servedPipelines()) {
    const { pipeline } = served
    const profiler = new Profiler(pipeline, { samples: served.requests, minRuns: quick ? 20 : 100 })
    for (const load of loads) {
      const profile = await profiler.run()
      profiles[pipeline.name] = [...(profiles[pipeline.name] ?? []), profile]
      runs.push(...(await serve(served, { profile, hardware, load, quick })))
    }
  }
  return compare(runs, profiles)
}

type Terms = { profile: Profile; hardware: Hardware; load: number; quick: boolean }

async function serve(served: ServedPipeline, terms: Terms): Promise<Run[]> {
  const { pipeline, maxPendingRows } = served
  const { profile, load, quick } = terms
  const configuration = within(served, profile)
  const latencyMs = pipeline.objective?.latencyMs ?? Number.MAX_VALUE
  const runs: Run[] = []
  await using engine = await Engine.start(pipeline, {
    configuration,
    maxPendingRows,
    overload: 'queue',
  })
  const capacityPerS = await capacityOf(engine, served)
  console.error(`  ${pipeline.name}: ${rounded(capacityPerS)} requests/s`)
  for (const [seed, cv2] of cv2s.entries()) {
    const ratePerS = load * capacityPerS
    const requests = served.requestsPerRun / (quick ? 10 : 1)
    const meant = Trace.gamma({ ratePerS, cv2, durationMs: (requests / ratePerS) * 1000, seed })
    const { arrivalsMs } = meant
    const report = await replay(engine, { arrivalsMs, requests: served.requests, latencyMs })
    const measured = sinceSent(report, { arrivalsMs, latencyMs })
    const trace = new Trace({ arrivalsMs: report.sentAtMs })
    const estimate = async (given: Profile) => {
      const { hardware } = terms
      const estimator = new Estimator({ profile: given, hardware, serviceTimes: 'drawn' })
      return figuresOf(await estimator.estimate(configuration, { trace, objective: { latencyMs } }))
    }
    const predicted = await estimate(profile)
    const asRun = await estimate(withServiceOf(report, profile))
    const one = {
      pipeline: pipeline.name,
      load,
      cv2,
      ratePerS: rounded(ratePerS),
      requests: report.requests,
      predicted,
      measured: { ...measured, sentLate: report.sentLate },
      error: rounded(predicted.p99Ms / measured.p99Ms - 1),
      errorOfModel: rounded(asRun.p99Ms / measured.p99Ms - 1),
      attainmentPoints: 100 * Math.abs(predicted.attainment - measured.attainment),
    }
    runs.push(one)
    console.error(`  ${textOf(one)}`)
  }
  return runs
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

function textOf({ pipeline, load, cv2, predicted, measured, error, errorOfModel }: Run): string {
  const percent = `${(100 * error).toFixed(1)} % (${(100 * errorOfModel).toFixed(1)} % by the run's own service times)`
  return `${pipeline}, load ${load}, cv2 ${cv2}: p99 ${predicted.p99Ms} ms predicted, ${measured.p99Ms} measured, ${percent}`
}

function compare(runs: readonly Run[], profiles: Record<string, readonly Profile[]>): Comparison[] {
  const errors = runs.map(({ error }) => Math.abs(error))
  const within = errors.filter((error) => error <= tolerance).length
  const meanError = mean(errors)
  const ofModel = runs.map(({ errorOfModel }) => Math.abs(errorOfModel))
  const withinByModel = ofModel.filter((error) => error <= tolerance).length
  return [
    {
      case: 'p99 within 15 %',
      ours: within / runs.length,
      reference: null,
      referenceName: `${within} of ${runs.length} runs; mean error ${(100 * meanError).toFixed(1)} %`,
      details: { runs, meanError, profiles },
    },
    {
      case: 'the same, by the run’s own service times',
      ours: withinByModel / runs.length,
      reference: null,
      referenceName: `${withinByModel} of ${runs.length} runs; mean error ${(100 * mean(ofModel)).toFixed(1)} %`,
    },
    {
      case: 'attainment, worst',
      unit: 'points',
      ours: Math.max(...runs.map(({ attainmentPoints }) => attainmentPoints)),
      reference: null,
      referenceName: 'of all runs, against their pipelines’ own objectives',
      target: { figure: 'ours', atMost: 1 },
    },
  ]
}
