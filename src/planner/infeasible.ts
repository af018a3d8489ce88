import { type BindingConstraint, InfeasibleError } from './infeasible-error.ts'
import { idealChoice } from './judge.ts'
import { makeSearch } from './make-search.ts'
import { optimal } from './optimal.ts'
import type { PlanLimits } from './plan.ts'
import type { Question } from './question.ts'
import type { Search } from './search.ts'
import { fastest, type Placement } from './search-space.ts'

/** The error where the limits leave some stage nothing to run on. */
export function nothingToChoose(
  { limits, profile }: Question,
  { space }: Search,
): InfeasibleError | undefined {
  const empty = space.placements.findIndex((placements) => placements.length === 0)
  if (empty < 0) return undefined
  const constraint =
    limits.tiers === undefined && limits.minAccuracy !== undefined ? 'accuracy' : 'tiers'
  const stage = `stage "${space.graph.names[empty]}" of "${profile.pipeline}"`
  const why =
    constraint === 'accuracy'
      ? `no model of ${stage} is accurate enough for limits.minAccuracy of ${limits.minAccuracy}`
      : `${stage} was profiled on no tier that is priced and allowed`
  return new InfeasibleError({ constraint, message: `${why}; ${remedies[constraint]}` })
}

/** The error that says which constraint binds, and the closest objective that can be met. */
export async function infeasible(
  question: Question,
  { stoppedBy }: { readonly stoppedBy: string },
): Promise<InfeasibleError> {
  const constraint = await bindingConstraint(question, stoppedBy)
  const closestLatencyMs = await closestObjective(question)
  const { latencyMs, percentile } = question.objective
  const asked = `no configuration keeps ${percentile} % of requests within ${latencyMs} ms`
  const closest =
    closestLatencyMs === undefined
      ? 'no other objective can be met within the limits either'
      : `the closest that can be met within the limits is ${closestLatencyMs} ms`
  const message = `${asked}: ${causes[constraint]}; ${closest}; ${remedies[constraint]}`
  return new InfeasibleError({ message, constraint, closestLatencyMs })
}

const causes: Readonly<Record<BindingConstraint, string>> = {
  latency: 'even without any waiting the fastest tiers take longer',
  maxReplicas: 'limits.maxReplicas binds',
  cores: 'limits.cores binds',
  memory: 'limits.memoryMb binds',
  budget: 'limits.budgetPerHour binds',
  tiers: 'limits.tiers leaves out faster ones',
  accuracy: 'the models that limits.minAccuracy allows are too slow',
}

const remedies: Readonly<Record<BindingConstraint, string>> = {
  latency: 'relax the objective, or profile faster tiers or models',
  maxReplicas: 'relax the objective, or raise the limit',
  cores: 'relax the objective, or allow more cores or other tiers',
  memory: 'relax the objective, or allow more memory',
  budget: 'relax the objective, or raise the budget',
  tiers: 'allow more tiers, or price them in the hardware',
  accuracy: 'relax the objective, or lower the accuracy',
}

// Lifted one after the other until the objective can be met; the last one bound.
const lifts: readonly (readonly [BindingConstraint, Partial<PlanLimits>])[] = [
  ['maxReplicas', { maxReplicas: 1024 }],
  ['cores', { cores: undefined }],
  ['memory', { memoryMb: undefined }],
  ['budget', { budgetPerHour: undefined }],
  ['tiers', { tiers: undefined }],
  ['accuracy', { minAccuracy: 0 }],
]

async function bindingConstraint(
  question: Question,
  stoppedBy: string,
): Promise<BindingConstraint> {
  for (const [constraint, lift] of lifts) {
    if (await canBeMet({ ...question, limits: { ...question.limits, ...lift } })) return constraint
  }
  let { limits } = question
  for (const [constraint, lift] of lifts) {
    limits = { ...limits, ...lift }
    if (await canBeMet({ ...question, limits })) return constraint
  }
  const known = lifts.map(([constraint]) => constraint).find((each) => each === stoppedBy)
  return known ?? 'latency'
}

async function canBeMet(question: Question): Promise<boolean> {
  const search = makeSearch({ ...question, onProgress: () => {} })
  if (search.space.placements.some((placements) => placements.length === 0)) return false
  // As fast as can be, all at once: when that is too late, so is everything.
  const ideal = search.space.placements.map((each) => idealChoice(fastest(each) as Placement))
  const [late = 0] = await search.judge.late([ideal], { relaxed: true })
  if (late > search.judge.allowed) return false
  return (await optimal(search, { anyWillDo: true })) !== undefined
}

const precision = 1.01
const mostDoublings = 30

async function closestObjective(question: Question): Promise<number | undefined> {
  const at = (latencyMs: number): Promise<boolean> =>
    canBeMet({ ...question, objective: { ...question.objective, latencyMs } })
  let missed = question.objective.latencyMs
  let met = missed * 2
  for (let doublings = 0; !(await at(met)); doublings++) {
    if (doublings === mostDoublings) return undefined
    ;[missed, met] = [met, met * 2]
  }
  while (met / missed > precision) {
    const middle = Math.sqrt(met * missed)
    if (await at(middle)) met = middle
    else missed = middle
  }
  // Rounded up, so that it can be met as it is told.
  const step = 10 ** (Math.floor(Math.log10(met)) - 2)
  const rounded = Number((Math.ceil(met / step) * step).toPrecision(3))
  return (await at(rounded)) ? rounded : met
}
