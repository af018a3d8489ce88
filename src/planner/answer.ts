import { type Candidate, configurationOf, costPerHour } from './choice.ts'
import { coarseGrained } from './coarse-grained.ts'
import { infeasible, nothingToChoose } from './infeasible.ts'
import { inferline, type Outcome } from './inferline.ts'
import { makeSearch } from './make-search.ts'
import { countCandidates, optimal } from './optimal.ts'
import type { Plan, Strategy } from './plan.ts'
import type { Question } from './question.ts'
import { reasons } from './reasons.ts'
import type { Search } from './search.ts'
import { settle } from './settle.ts'
import { tuning } from './tuning.ts'

/** @throws {InfeasibleError} where no plan was found. */
export async function answer(question: Question): Promise<Plan> {
  const search = makeSearch(question)
  const blocked = nothingToChoose(question, search)
  if (blocked !== undefined) throw blocked
  const outcome = await strategyOf[question.strategy](search)
  if ('stoppedBy' in outcome) throw await infeasible(question, outcome)
  return await describePlan(question, { search, candidate: outcome.candidate })
}

const strategyOf: Readonly<Record<Strategy, (search: Search) => Promise<Outcome>>> = {
  optimal: async (search) => {
    const found = await optimal(search)
    return found === undefined ? { stoppedBy: '' } : { candidate: await settle(search, found) }
  },
  inferline,
  'cg-mean': async (search) => coarseGrained(search, 'mean'),
  'cg-peak': async (search) => coarseGrained(search, 'peak'),
}

async function describePlan(
  { profile, objective, strategy, trace }: Question,
  { search, candidate }: { readonly search: Search; readonly candidate: Candidate },
): Promise<Plan> {
  const { space, judge } = search
  const because = await reasons(search, candidate)
  const [estimate] = await judge.estimate([candidate])
  if (estimate === undefined) throw new Error('the simulator gave no estimate')
  return {
    version: 1,
    pipeline: profile.pipeline,
    objective,
    strategy,
    configuration: configurationOf(candidate, space),
    costPerHour: costPerHour(candidate),
    estimate,
    tuning: tuning(candidate, { graph: space.graph, trace }),
    reasons: because,
    search: {
      candidates: countCandidates(space),
      ruledOut: search.ruledOut.toJSON(),
      simulated: judge.simulated,
    },
  }
}
