import { MillraceError } from '../errors.ts'
import type { Objective } from '../pipeline/objective.ts'
import type { Plan, Strategy } from '../planner/plan.ts'
import { Planner } from '../planner/planner.ts'
import type { Trace } from '../workload/trace.ts'
import type { Basis } from './paper-pipelines.ts'

export interface PlanTerms {
  readonly basis: Basis
  readonly trace: Trace
  readonly objective: Objective
  readonly signal?: AbortSignal | undefined
  /** Simulations after which `optimal` is given up: not a time, which would differ from run to run. Default 30,000. */
  readonly mostSimulations?: number | undefined
}

/** A plan, or why there is none. */
export type Planned = { readonly plan: Plan } | { readonly refusal: string }

/** Stages that have only CPUs, and boxes of the coarse-grained plans, may take more than the default of 64. */
const limits = { maxReplicas: 512 }
const defaultMostSimulations = 30_000

/** The plan of a strategy; where nothing meets the objective, or the search takes too many simulations, what was the matter. */
export async function planOrRefusal(strategy: Strategy, terms: PlanTerms): Promise<Planned> {
  const { basis, trace, objective, signal } = terms
  const { mostSimulations = defaultMostSimulations } = terms
  const planner = new Planner({ ...basis, strategy })
  const stop = new GivenUp()
  try {
    const plan = await planner.plan(trace, {
      objective,
      limits,
      signal,
      onProgress: ({ simulated }) => {
        if (simulated > mostSimulations) throw stop
      },
    })
    return { plan }
  } catch (error) {
    if (error === stop) return { refusal: `stopped after ${mostSimulations} simulations` }
    if (!MillraceError.is(error) || error.code !== 'MILLRACE_INFEASIBLE') throw error
    return { refusal: error.message }
  }
}

class GivenUp extends Error {}
