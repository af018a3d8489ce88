import { checkNumber, checkObject, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { Trace } from '../workload/trace.ts'
import { answer } from './answer.ts'
import { InfeasibleError } from './infeasible-error.ts'
import type { Plan } from './plan.ts'
import { type Basis, checkQuestion, type PlanOptions, type Question } from './question.ts'
import { accuracyOf, searchSpace } from './search-space.ts'
import { longestPathMs, stageGraph } from './stage-graph.ts'

/** What a front is asked for. */
export interface FrontierOptions extends Omit<PlanOptions, 'objective'> {
  /** Of all objectives, in percent, above 0 and below 100. Default: that of `pipeline`, else 99. */
  readonly percentile?: number | undefined
  /** Milliseconds of the objectives. Default: eight, from a little above what the fastest tiers take to ten times that. */
  readonly latenciesMs?: readonly number[] | undefined
}

const frontierKeys = [
  'percentile',
  'latenciesMs',
  'pipeline',
  'limits',
  'signal',
  'onProgress',
] as const

export async function frontier(
  basis: Basis,
  { trace, options }: { readonly trace: Trace; readonly options: FrontierOptions },
): Promise<readonly Plan[]> {
  const given = checkObject(options, { name: 'frontier options', keys: frontierKeys })
  const { percentile, latenciesMs, ...rest } = given as FrontierOptions
  const latencies =
    latenciesMs === undefined ? defaultLatencies(basis) : checkLatencies(latenciesMs)
  const share = percentile ?? rest.pipeline?.objective?.percentile ?? 99
  const questions = latencies.map((latencyMs) => {
    const objective = { latencyMs, percentile: share }
    return checkQuestion(basis, { trace, options: { ...rest, objective } })
  })
  const plans: Plan[] = []
  let refusal: unknown
  for (const question of questions.flatMap(byAccuracy)) {
    try {
      plans.push(await answer(question))
    } catch (error) {
      if (!(error instanceof InfeasibleError)) throw error
      refusal = error
    }
  }
  if (plans.length === 0) throw refusal
  return unbeaten(plans)
}

/** Plans that no other is at least as good as in everything, and better in something; of equals the first. */
function unbeaten(plans: readonly Plan[]): readonly Plan[] {
  return plans
    .filter(
      (plan, index) => !plans.some((other, at) => beats({ other, plan, earlier: at < index })),
    )
    .sort((a, b) => a.objective.latencyMs - b.objective.latencyMs || a.costPerHour - b.costPerHour)
}

function beats({ other, plan, earlier }: { other: Plan; plan: Plan; earlier: boolean }): boolean {
  if (other === plan) return false
  const [theirs, ours] = [badness(other), badness(plan)]
  if (theirs.some((each, index) => each > (ours[index] ?? 0))) return false
  return earlier || theirs.some((each, index) => each < (ours[index] ?? 0))
}

function badness({ costPerHour, objective, estimate }: Plan): readonly number[] {
  return [costPerHour, objective.latencyMs, -(estimate.accuracy ?? 1), estimate.watts ?? 0]
}

// Each accuracy that some choice of models has, down to what the limits allow; at most so many.
const mostAccuracies = 8

function byAccuracy(question: Question): readonly Question[] {
  const { profile, hardware, limits } = question
  const { placements, limits: complete } = searchSpace({
    profile,
    hardware,
    limits: { ...limits, minAccuracy: limits.minAccuracy ?? 0 },
  })
  let products = [1]
  for (const column of placements) {
    const accuracies = [...new Set(column.map(accuracyOf))]
    products = [...new Set(products.flatMap((each) => accuracies.map((one) => each * one)))]
  }
  const levels = products.filter((each) => each >= complete.minAccuracy).sort((a, b) => b - a)
  const step = Math.max(1, (levels.length - 1) / (mostAccuracies - 1))
  const chosen = levels.filter((_, index) => index === Math.round(Math.round(index / step) * step))
  return chosen.map((minAccuracy) => ({ ...question, limits: { ...limits, minAccuracy } }))
}

const latencyCount = 8
const leastSlack = 1.1
const widest = 10

function defaultLatencies({ profile, hardware }: Basis): readonly number[] {
  const { placements } = searchSpace({ profile, hardware, limits: {} })
  const least = placements.map((column) => Math.min(...column.map(({ leastMs }) => leastMs)))
  const floorMs = longestPathMs(stageGraph(profile), least) * leastSlack
  return Array.from({ length: latencyCount }, (_, index) =>
    Number((floorMs * widest ** (index / (latencyCount - 1))).toPrecision(3)),
  )
}

function checkLatencies(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) {
    const problem = `expected an array of milliseconds, got ${describe(value)}; give [100, 200]`
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `latenciesMs: ${problem}`,
    })
  }
  return value.map((each, index) => checkNumber(each, { name: `latenciesMs[${index}]`, above: 0 }))
}
