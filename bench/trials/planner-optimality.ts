/**
 * Whether `optimal` is optimal: small questions, drawn from seeds, of which every configuration is simulated. Its cost
 * must be that of the cheapest that meets the objective, and where none does it must say so.
 */
import { InfeasibleError, Planner, type Strategy } from '../../dist/index.js'
import { bruteForce } from './brute-force.ts'
import { rounded } from './rounds.ts'
import { drawQuestion, type SmallQuestion } from './small-question.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

/** Sums of the same prices in another order may differ in the last bits. */
const grain = 1e-9

export const plannerOptimality: Trial = {
  name: 'planner-optimality',
  measures: 'of 50 small questions, those where optimal costs what brute force finds',
  unit: 'questions',
  target: { figure: 'ours', atLeast: 50 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const count = quick ? 10 : 50
  const answers = []
  for (let seed = 1; seed <= count; seed++) {
    const question = drawQuestion(seed)
    const { costPerHour: least, configurations } = await bruteForce(question)
    const optimal = await planned(question, 'optimal')
    const inferline = await planned(question, 'inferline')
    const equal = same(optimal, least)
    answers.push({ seed, configurations, least, optimal, inferline, equal })
    if (!equal) console.error(`  seed ${seed}: optimal ${optimal}, brute force ${least}`)
  }
  const equal = answers.filter((each) => each.equal).length
  console.error(`  ${equal} of ${count} as brute force`)
  const ratios = answers.flatMap(({ least, inferline }) =>
    least === null || inferline === null ? [] : [inferline / least],
  )
  return [
    {
      ours: equal,
      reference: count,
      referenceName: 'brute force over all configurations',
      target: { figure: 'ours', atLeast: count },
      details: {
        infeasibleAgreed: answers.filter(({ least, optimal }) => least === null && optimal === null)
          .length,
        inferline: {
          meanCostRatio: rounded(ratios.reduce((sum, each) => sum + each, 0) / ratios.length),
          worstCostRatio: rounded(Math.max(...ratios)),
          foundNone: answers.filter(({ least, inferline }) => least !== null && inferline === null)
            .length,
        },
        answers,
      },
    },
  ]
}

/** What the plan costs; null where there is none. */
async function planned(question: SmallQuestion, strategy: Strategy): Promise<number | null> {
  const { profile, hardware, trace, objective, limits } = question
  try {
    const planner = new Planner({ profile, hardware, strategy })
    return (await planner.plan(trace, { objective, limits })).costPerHour
  } catch (error) {
    if (error instanceof InfeasibleError) return null
    throw error
  }
}

function same(left: number | null, right: number | null): boolean {
  return left === null || right === null ? left === right : Math.abs(left - right) < grain
}
