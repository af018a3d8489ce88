// Which stages requests visit together where only scale factors are known: each stage is taken to run independently of
// the others, but never without one of those it waits for.
import { describe } from '../check.ts'
import type { NativeSimulatorSpec } from '../native/simulator.ts'
import type { Profile } from '../profile/profile.ts'
import { profileError } from './profile-error.ts'
import type { StageOrder } from './stage-order.ts'

type NativePath = NativeSimulatorSpec['paths'][number]

/** How often each stage so far runs for a request of this kind. */
interface Combination {
  readonly share: number
  readonly times: readonly number[]
}

const negligibleShare = 1e-9
const mostCombinations = 4096
// Scale factors that were divided and multiplied again come out as what they were.
const rounding = 1e9

/**
 * A path for each combination of branches: those rarer than one in a thousand millions are left out, and beyond 4096 the
 * rarest.
 *
 * A stage runs, where any of those it waits for ran, scaleFactor / (the share of such requests) times on average: as
 * often as the two whole numbers next to that, each in the share that gives this average.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE for fan-outs, or a stage that runs though nothing it waits for does.
 */
export function independentPaths(profile: Profile, order: StageOrder): readonly NativePath[] {
  const fanOut = order.names.find((name) => profile.stages[name]?.fanOut === true)
  if (fanOut !== undefined) {
    const problem = `"${fanOut}" is a fan-out, but there are no paths that say how many items it makes`
    throw profileError(profile, { problem, fix: 'add paths, or have the profile measured' })
  }
  let combinations: readonly Combination[] = [{ share: 1, times: [] }]
  for (const name of order.names) {
    combinations = withStage(combinations, meanTimes(profile, { name, order, combinations }))
  }
  return combinations.map(({ share, times }) => ({
    share,
    visits: times.flatMap((count, stage) => (count > 0 ? [[stage, count] as const] : [])),
    items: [],
  }))
}

interface StageTimes {
  /** On average, where it may run. */
  readonly mean: number
  mayRun(combination: Combination): boolean
}

function meanTimes(
  profile: Profile,
  given: {
    readonly name: string
    readonly order: StageOrder
    readonly combinations: readonly Combination[]
  },
): StageTimes {
  const { name, order, combinations } = given
  const waitsFor = (order.predecessors.get(name) ?? []).map((from) => order.names.indexOf(from))
  const mayRun = ({ times }: Combination): boolean =>
    waitsFor.length === 0 || waitsFor.some((stage) => (times[stage] ?? 0) > 0)
  const { scaleFactor } = profile.stages[name] ?? { scaleFactor: Number.NaN }
  if (!Number.isFinite(scaleFactor) || scaleFactor < 0) {
    const got = `got ${describe(scaleFactor)}`
    throw profileError(profile, {
      problem: `stages.${name}.scaleFactor: expected a number of at least 0, ${got}`,
    })
  }
  const all = sum(combinations)
  const able = sum(combinations.filter(mayRun)) / all
  if (able === 0 && scaleFactor > 0) {
    const problem = `stage "${name}" runs ${scaleFactor} times a request, but nothing that it waits for ever runs`
    throw profileError(profile, { problem })
  }
  return { mean: able === 0 ? 0 : Math.round((scaleFactor / able) * rounding) / rounding, mayRun }
}

function withStage(
  combinations: readonly Combination[],
  { mean, mayRun }: StageTimes,
): readonly Combination[] {
  const fewer = Math.floor(mean)
  const more = mean - fewer
  const grown = combinations.flatMap((combination) => {
    const { share, times } = combination
    if (!mayRun(combination)) return [{ share, times: [...times, 0] }]
    return [
      { share: share * (1 - more), times: [...times, fewer] },
      { share: share * more, times: [...times, fewer + 1] },
    ]
  })
  const kept = grown.filter(({ share }) => share > negligibleShare)
  if (kept.length <= mostCombinations) return kept
  return kept.sort((left, right) => right.share - left.share).slice(0, mostCombinations)
}

function sum(combinations: readonly Combination[]): number {
  return combinations.reduce((total, { share }) => total + share, 0)
}
