import { availableParallelism, loadavg } from 'node:os'
import { nowMs } from '../../clock.ts'
import { Engine } from '../../engine/engine.ts'
import { replay } from '../../engine/replay.ts'
import type { ReplayReport } from '../../engine/replay-report.ts'
import type { PlannedConfiguration } from '../../estimator/estimate.ts'
import { Estimator } from '../../estimator/estimator.ts'
import type { InputsOf, Pipeline } from '../../pipeline/pipeline.ts'
import type { Profile } from '../../profile/profile.ts'
import { Profiler } from '../../profile/profiler.ts'
import { defaultHardware } from '../../profile/read-hardware.ts'
import { Trace } from '../../workload/trace.ts'
import { digitsCascade } from '../digits-cascade.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { Steps } from '../steps.ts'
import type { Fig9Data, Fig9Run } from './fig9-data.ts'
import { presentFig9 } from './fig9-presentation.ts'

const latencyMs = 20
const loads = [0.3, 0.5, 0.7]
const cv2s = [1, 4]
const loadsAndBurstiness = loads.flatMap((load) => cv2s.map((cv2) => ({ load, cv2 })))
const inFlight = 32
/** One image takes microseconds, less than a thread to wake up: a request is a sheet of them. */
const images = 1000
const maxPendingRows = 1 << 20

export const fig9: Figure<Fig9Data> = {
  name: 'fig9',
  title: 'the estimator against the live engine',
  question: 'Does the engine do what the estimator says?',
  protocol: `The digits cascade (examples/01) is profiled on this machine, then runs live, one replica a stage, under traces of gamma arrivals at ${loads.map((load) => `${100 * load} %`).join(', ')} of what it can do with a backlog, cv2 1 and 4; a request is a sheet of ${images} images. What was really sent is simulated with service times drawn from the measured spread, and latencies from when a request was sent are compared.`,
  differences: [
    'The paper compares p99 of planned pipelines on a cluster; here one pipeline runs on one machine, and so does what sends the requests.',
  ],
  isMeasured: true,
  run,
  present: presentFig9,
}

async function run(terms: FigureTerms): Promise<Fig9Data> {
  const { quick, seed, signal } = terms
  const steps = new Steps(terms, 2 + loadsAndBurstiness.length)
  const cascade = digitsCascade()
  if (cascade === undefined) return { latencyMs, images, loadAverage: 0, cores: 0, runs: [] }
  const loadAverage = loadavg()[0] ?? 0
  steps.next('profiling the digits cascade')
  const { pipeline } = cascade
  const requests = cascade.requests({ images, count: 16 })
  const profiler = new Profiler(pipeline, { samples: requests, minRuns: quick ? 50 : 200, seed })
  const profile = await profiler.run({ signal })
  const configuration = oneReplicaEach(profile)
  const estimator = new Estimator({
    profile,
    hardware: await defaultHardware(),
    serviceTimes: 'drawn',
  })
  const engine = await Engine.start(pipeline, { configuration, maxPendingRows, overload: 'queue' })
  try {
    steps.next('what it can do at most')
    const capacityPerS = await capacityOf(engine, { requests, durationMs: quick ? 1500 : 4000 })
    const runs: Fig9Run[] = []
    for (const { load, cv2 } of loadsAndBurstiness) {
      steps.next(`load ${load}, cv2 ${cv2}`)
      const ratePerS = load * capacityPerS
      const durationMs = quick ? 2000 : 10_000
      const trace = Trace.gamma({ ratePerS, cv2, durationMs, seed: seed + runs.length })
      const { arrivalsMs } = trace
      const report = await replay(engine, { arrivalsMs, requests, latencyMs, signal })
      runs.push({
        load,
        cv2,
        ratePerS,
        ...(await compare(report, { trace, configuration, estimator })),
      })
    }
    return { latencyMs, images, loadAverage, cores: availableParallelism(), runs }
  } finally {
    await engine.close({ timeoutMs: signal?.aborted ? 0 : undefined })
  }
}

/** Requests a second with a backlog that never ends. */
async function capacityOf(
  engine: Engine,
  {
    requests,
    durationMs,
  }: { readonly requests: readonly InputsOf<Pipeline>[]; readonly durationMs: number },
): Promise<number> {
  const startMs = nowMs()
  let answered = 0
  const serve = async () => {
    while (nowMs() - startMs < durationMs) {
      await engine.infer(requests[answered % requests.length] as InputsOf<Pipeline>)
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, serve))
  return (1000 * answered) / (nowMs() - startMs)
}

async function compare(
  { sentAtMs, latenciesMs, requests, sentLate }: ReplayReport,
  given: {
    readonly trace: Trace
    readonly configuration: PlannedConfiguration
    readonly estimator: Estimator
  },
): Promise<Pick<Fig9Run, 'requests' | 'sentLate' | 'estimated' | 'measured'>> {
  const { trace, configuration, estimator } = given
  const sent = new Trace({ arrivalsMs: sentAtMs })
  const objective = { latencyMs }
  const { p50Ms, p99Ms, attainment } = await estimator.estimate(configuration, {
    trace: sent,
    objective,
  })
  // From when it was sent: that the generator was late is no fault of the engine's.
  const sorted = latenciesMs
    .map((each, at) => each - ((sentAtMs[at] ?? 0) - (trace.arrivalsMs[at] ?? 0)))
    .filter((each) => !Number.isNaN(each))
    .sort()
  const rank = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  const inTime = sorted.filter((each) => each <= latencyMs).length
  return {
    requests,
    sentLate,
    estimated: { p50Ms, p99Ms, attainment },
    measured: { p50Ms: rank(0.5), p99Ms: rank(0.99), attainment: inTime / requests },
  }
}

function oneReplicaEach({ stages }: Profile): PlannedConfiguration {
  const each = Object.entries(stages).map(([name, { tiers = {} }]) => {
    const maxBatch = tiers['cpu-1']?.points.at(-1)?.batch ?? 1
    return [name, { tier: 'cpu-1', maxBatch, replicas: 1 }] as const
  })
  return Object.fromEntries(each)
}
