/**
 * Whether what the estimator says of a configuration is what the engine then does here.
 *
 *   profile    measured first, in this process, with the requests that are sent later
 *   capacity   of the configuration, in a closed loop with a backlog
 *   runs       40, 60 and 80 % of the capacity, gaps of squared coefficient of variation 1 and 4: each trace is estimated
 *              (service times drawn from the measured spread), and replayed open-loop in real time
 *
 * Latencies are those the caller sees, from when a request was meant to be sent.
 */
import { fileURLToPath } from 'node:url'
import {
  Engine,
  Estimator,
  type InputsOf,
  type Pipeline,
  type PlannedConfiguration,
  type Profile,
  Profiler,
  readHardware,
  replay,
  Trace,
} from '../../dist/index.js'
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
  measured: Figures & { coreP99Ms: number; sentLate: number }
  /** Of the p99, as a share of what was measured; below 0 where less was predicted. */
  error: number
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
  const profiles: Record<string, Profile> = {}
  for (const served of await servedPipelines()) {
    const profile = await new Profiler(served.pipeline, { samples: served.requests }).run()
    profiles[served.pipeline.name] = profile
    runs.push(...(await serve(served, { profile, quick })))
  }
  return compare(runs, profiles)
}

async function serve(
  served: ServedPipeline,
  { profile, quick }: { profile: Profile; quick: boolean },
): Promise<Run[]> {
  const { pipeline, maxPendingRows } = served
  const configuration = within(served, profile)
  const estimator = new Estimator({
    profile,
    hardware: await readHardware(hardwareFile),
    serviceTimes: 'drawn',
  })
  const latencyMs = pipeline.objective?.latencyMs ?? Number.MAX_VALUE
  const runs: Run[] = []
  // An engine of its own for all runs of a pipeline: what is warm stays warm.
  await using engine = await Engine.start(pipeline, {
    configuration,
    maxPendingRows,
    overload: 'queue',
  })
  const capacityPerS = await capacityOf(engine, served)
  console.error(`  ${pipeline.name}: ${rounded(capacityPerS)} requests/s`)
  for (const [seed, { load, cv2 }] of cases().entries()) {
    const ratePerS = load * capacityPerS
    const requests = served.requestsPerRun / (quick ? 10 : 1)
    const trace = Trace.gamma({ ratePerS, cv2, durationMs: (requests / ratePerS) * 1000, seed })
    const predicted = await estimator.estimate(configuration, { trace, objective: { latencyMs } })
    const { arrivalsMs } = trace
    const measured = await replay(engine, { arrivalsMs, requests: served.requests, latencyMs })
    const one = {
      pipeline: pipeline.name,
      load,
      cv2,
      ratePerS: rounded(ratePerS),
      requests: measured.requests,
      predicted: figuresOf(predicted),
      measured: {
        ...figuresOf({ ...measured, attainment: measured.attainment ?? Number.NaN }),
        coreP99Ms: rounded(measured.coreMs.p99),
        sentLate: measured.sentLate,
      },
      error: rounded(predicted.p99Ms / measured.p99Ms - 1),
      attainmentPoints: 100 * Math.abs(predicted.attainment - (measured.attainment ?? 0)),
    }
    runs.push(one)
    console.error(`  ${textOf(one)}`)
  }
  return runs
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

function cases() {
  return loads.flatMap((load) => cv2s.map((cv2) => ({ load, cv2 })))
}

function figuresOf({ p50Ms, p99Ms, attainment }: Figures): Figures {
  return { p50Ms: rounded(p50Ms), p99Ms: rounded(p99Ms), attainment: rounded(attainment) }
}

function textOf({ pipeline, load, cv2, predicted, measured, error }: Run): string {
  const percent = `${error > 0 ? '+' : ''}${(100 * error).toFixed(1)} %`
  return `${pipeline}, load ${load}, cv2 ${cv2}: p99 ${predicted.p99Ms} ms predicted, ${measured.p99Ms} measured, ${percent}`
}

function compare(runs: readonly Run[], profiles: Record<string, Profile>): Comparison[] {
  const errors = runs.map(({ error }) => Math.abs(error))
  const within = errors.filter((error) => error <= tolerance).length
  const meanError = errors.reduce((sum, error) => sum + error, 0) / errors.length
  return [
    {
      case: 'p99 within 15 %',
      ours: within / runs.length,
      reference: null,
      referenceName: `${within} of ${runs.length} runs; mean error ${(100 * meanError).toFixed(1)} %`,
      details: { runs, meanError, profiles },
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
