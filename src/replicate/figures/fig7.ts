import { Trace } from '../../workload/trace.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { LivePlans } from '../live-plans.ts'
import { liveRun } from '../live-run.ts'
import {
  coarseGrained,
  inferline,
  type LiveSystem,
  millrace,
  withoutTuner,
} from '../live-systems.ts'
import { type Basis, paperPipeline, profileDifferences } from '../paper-pipelines.ts'
import { Steps } from '../steps.ts'
import type { Fig7Data, Fig7Point } from './fig7-data.ts'
import { presentFig7 } from './fig7-presentation.ts'

const latencyMs = 150
const [fromRatePerS, toRatePerS] = [150, 250]
const activationMs = 5000
const sampleMs = 120_000
/** Before the ramp and after it, each. */
const steadyMs = 60_000

interface Served extends LiveSystem {
  /** Default 5 s. */
  readonly servesAfterMs?: number
}

const inProcess = { ...millrace, name: 'millrace, in process', servesAfterMs: 5 }

const systems: readonly Served[] = [
  millrace,
  inProcess,
  inferline,
  coarseGrained('mean', 1000),
  coarseGrained('peak', 1000),
  withoutTuner,
]

export const fig7: Figure<Fig7Data> = {
  name: 'fig7',
  title: 'ramps from 150 to 250 requests/s',
  question:
    'Does the tuner keep the objective when the rate rises, quickly or slowly, with even and with bursty arrivals?',
  protocol: `The Social Media pipeline with an objective of ${latencyMs} ms is planned for two minutes of ${fromRatePerS} requests/s, then serves a minute at that rate, a ramp to ${toRatePerS} requests/s, and a minute at the new rate, on a simulated engine; for several lengths of the ramp and several cv2. Added replicas serve after 5 s, as in the paper’s cluster, or where it says in process after 5 ms.`,
  differences: [
    ...profileDifferences,
    'The paper changes cv2 in a figure of its own (10, 11); here each ramp is run with each cv2.',
  ],
  isMeasured: false,
  run,
  present: presentFig7,
}

async function run(terms: FigureTerms): Promise<Fig7Data> {
  const { quick, seed, signal } = terms
  const cv2s = quick ? [1, 4] : [1, 2, 4]
  const transitions = quick ? [5000, 60_000] : [1000, 5000, 15_000, 30_000, 60_000, 120_000]
  const steps = new Steps(terms, cv2s.length * transitions.length * systems.length)
  const basis = await paperPipeline('social-media')
  const points: Fig7Point[] = []
  for (const cv2 of cv2s) {
    const sample = Trace.gamma({ ratePerS: fromRatePerS, cv2, durationMs: sampleMs, seed })
    const plans = new LivePlans({ basis, sample, latencyMs, signal })
    for (const transitionMs of transitions) {
      for (const system of systems) {
        steps.next(`ramp of ${transitionMs / 1000} s, cv2 ${cv2}: ${system.name}`)
        points.push(await runPoint(system, { cv2, transitionMs, plans, basis, seed: seed + 1 }))
      }
    }
  }
  return { latencyMs, fromRatePerS, toRatePerS, activationMs, points }
}

async function runPoint(
  system: Served,
  given: {
    readonly cv2: number
    readonly transitionMs: number
    readonly plans: LivePlans
    readonly basis: Basis
    readonly seed: number
  },
): Promise<Fig7Point> {
  const { cv2, transitionMs, plans, basis, seed } = given
  const plan = await plans.of(system.plan)
  const trace = Trace.shaped({
    shape: 'ramp',
    fromRatePerS,
    ratePerS: toRatePerS,
    transitionMs,
    durationMs: 2 * steadyMs + transitionMs,
    cv2,
    seed,
  })
  const control = system.control(plan)
  const { configuration } = plan
  const outcome = liveRun({
    basis,
    configuration,
    trace,
    latencyMs,
    control,
    activationMs: system.servesAfterMs ?? activationMs,
    seed,
  })
  const { requests, late, attainment, p99Ms, cost } = outcome
  const costPerHour = (cost * 3_600_000) / trace.durationMs
  const plannedAttainment = plan.estimate.attainment
  const figures = { requests, late, attainment, p99Ms, cost, costPerHour, plannedAttainment }
  return { system: system.name, cv2, transitionMs, ...figures }
}
