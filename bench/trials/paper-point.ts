/** One rate, burstiness and objective of one pipeline, planned for by every strategy. */
import {
  Estimator,
  type Hardware,
  MillraceError,
  type Plan,
  Planner,
  type Profile,
  type Strategy,
  Trace,
} from '../../dist/index.js'
import { rounded } from './rounds.ts'

export const strategies = ['optimal', 'inferline', 'cg-peak', 'cg-mean'] as const

export type PaperPoint = {
  pipeline: string
  cv2: number
  ratePerS: number
  latencyMs: number
  /** Of the trace planned for; the fresh one has the next. */
  seed: number
}

/** Of one strategy; without a cost there is no plan. */
export type PaperAnswer = {
  seconds: number
  costPerHour?: number
  /** On the fresh trace. */
  attainment?: number
  /** On the trace planned for. */
  plannedAttainment?: number
  /** Why there is no plan. */
  infeasible?: string
  timedOut?: boolean
}

export type PaperRow = PaperPoint & { strategies: Record<Strategy, PaperAnswer> }

/** Stages that have only CPUs, and boxes of the coarse-grained plans, may take more than the default of 64. */
const limits = { maxReplicas: 512 }
const durationMs = 30_000
const patienceMs = 30_000

type Basis = { profile: Profile; hardware: Hardware }

export async function planPoint(point: PaperPoint, basis: Basis): Promise<PaperRow> {
  const answers = []
  for (const strategy of strategies) {
    answers.push([strategy, await answerOf(strategy, { point, basis })] as const)
  }
  const row = { ...point, strategies: Object.fromEntries(answers) as PaperRow['strategies'] }
  console.error(`  ${describeRow(row)}`)
  return row
}

async function answerOf(
  strategy: Strategy,
  { point, basis }: { point: PaperPoint; basis: Basis },
): Promise<PaperAnswer> {
  const { cv2, ratePerS, latencyMs, seed } = point
  const objective = { latencyMs, percentile: 99 }
  const signal = AbortSignal.timeout(patienceMs)
  const startMs = performance.now()
  const seconds = () => rounded((performance.now() - startMs) / 1000)
  const traceOf = (seed: number) => Trace.gamma({ ratePerS, cv2, durationMs, seed })
  let plan: Plan
  try {
    const planner = new Planner({ ...basis, strategy })
    plan = await planner.plan(traceOf(seed), { objective, limits, signal })
  } catch (error) {
    return { seconds: seconds(), ...reasonOf(error) }
  }
  const planSeconds = seconds()
  const estimator = new Estimator({ ...basis, seed: 1 })
  const fresh = await estimator.estimate(plan.configuration, {
    trace: traceOf(seed + 1),
    objective,
  })
  return {
    seconds: planSeconds,
    costPerHour: plan.costPerHour,
    attainment: fresh.attainment,
    plannedAttainment: plan.estimate.attainment,
  }
}

function reasonOf(error: unknown): Pick<PaperAnswer, 'infeasible' | 'timedOut'> {
  if (!(error instanceof MillraceError)) throw error
  if (error.code === 'MILLRACE_INFEASIBLE') return { infeasible: error.message }
  if (error.code === 'MILLRACE_CANCELLED') return { timedOut: true }
  throw error
}

function describeRow({ pipeline, ratePerS, cv2, latencyMs, strategies }: PaperRow): string {
  const answers = Object.entries(strategies).map(([name, answer]) => {
    if (answer.costPerHour === undefined) {
      return `${name} ${answer.timedOut === true ? 'timed out' : 'infeasible'} (${answer.seconds} s)`
    }
    const { costPerHour, attainment = Number.NaN, seconds } = answer
    return `${name} ${rounded(costPerHour)} ${(attainment * 100).toFixed(1)} % (${seconds} s)`
  })
  return `${pipeline}, ${ratePerS}/s, cv2 ${cv2}, ${latencyMs} ms: ${answers.join(', ')}`
}
