import { checkInteger, checkNumber } from '../check.ts'
import type { NativeSimulatorSpec } from '../native/simulator.ts'
import type { Profile } from '../profile/profile.ts'
import { independentPaths } from './independent-paths.ts'
import { profileError } from './profile-error.ts'
import { profiledPaths } from './profiled-paths.ts'
import { slowdownOf } from './slowdown.ts'
import { levelStages } from './stage-levels.ts'
import { orderStages } from './stage-order.ts'

const leastSliceMs = 0.001

/** A profile as the simulator is told of it. */
export interface SimulatedPipeline {
  /** Names of the stages as the simulator counts them: each after those it waits for. */
  readonly stages: readonly string[]
  /** Rows of each stage for a request, on average over the paths. */
  readonly visitsPerRequest: Readonly<Record<string, number>>
  readonly spec: Omit<NativeSimulatorSpec, 'arrivalsMs' | 'numbers' | 'seed'>
}

/**
 * @throws {MillraceError} MILLRACE_INVALID_FILE where the profile contradicts itself: an edge or a path to an unknown
 * stage, a cycle, items of what is no fan-out, scale factors that are not those of the paths.
 */
export function describePipeline(profile: Profile): SimulatedPipeline {
  const order = orderStages(profile)
  const levels = levelStages(profile, order)
  const index = new Map(order.names.map((name, at) => [name, at]))
  const indexOf = (name: string): number => index.get(name) ?? -1
  const paths =
    profile.paths === undefined
      ? independentPaths(profile, order)
      : profiledPaths(profile, { index, levels })
  const visits = meanVisits(paths, order.names.length)
  const named = order.names.map((name, at) => [name, visits[at] ?? 0] as const)
  if (profile.paths !== undefined) checkScaleFactors(profile, named)
  const stages = order.names.map((name) => ({
    predecessors: (order.predecessors.get(name) ?? []).map(indexOf),
    fanOut: profile.stages[name]?.fanOut === true,
    gather: indexOf(profile.stages[name]?.gather ?? ''),
  }))
  return {
    stages: order.names,
    visitsPerRequest: Object.fromEntries(named),
    spec: {
      stages,
      paths,
      requestMs: overheadOf(profile, 'requestMs'),
      loopMs: overheadOf(profile, 'loopMs'),
      answerMs: answerOf(profile),
      ...coresOf(profile),
      slowdown: slowdownOf(profile.contention),
      deviceSlowdowns: Object.entries(profile.sharing ?? {}).map(([tier, points]) => {
        return slowdownOf(points, `sharing.${tier}`)
      }),
    },
  }
}

function answerOf(profile: Profile): number {
  return Math.min(overheadOf(profile, 'answerMs'), overheadOf(profile, 'loopMs'))
}

function coresOf({ timeSharing }: Profile): Pick<NativeSimulatorSpec, 'cores' | 'sliceMs'> {
  if (timeSharing === undefined) return { cores: 0, sliceMs: 0 }
  const code = 'MILLRACE_INVALID_FILE'
  const { cores, sliceMs } = timeSharing
  return {
    cores: checkInteger(cores, { name: 'timeSharing.cores', min: 1, max: 65_536, code }),
    sliceMs: checkNumber(sliceMs, { name: 'timeSharing.sliceMs', min: leastSliceMs, code }),
  }
}

function overheadOf(profile: Profile, key: 'requestMs' | 'loopMs' | 'answerMs'): number {
  const name = `overhead.${key}`
  return checkNumber(profile.overhead?.[key] ?? 0, { name, min: 0, code: 'MILLRACE_INVALID_FILE' })
}

function meanVisits(paths: NativeSimulatorSpec['paths'], stages: number): readonly number[] {
  const total = paths.reduce((sum, { share }) => sum + share, 0)
  const mean = new Array<number>(stages).fill(0)
  // Paths of items come before those that open them.
  const ofPath: (readonly number[])[] = []
  for (const { share, visits, items } of paths) {
    const all = new Array<number>(stages).fill(0)
    for (const [stage, times] of visits) all[stage] = (all[stage] ?? 0) + times
    for (const [, times, path] of items) {
      ofPath[path]?.forEach((count, stage) => {
        all[stage] = (all[stage] ?? 0) + times * count
      })
    }
    ofPath.push(all)
    for (const [stage, count] of all.entries()) {
      mean[stage] = (mean[stage] ?? 0) + (share / total) * count
    }
  }
  return mean
}

/** Scale factors are often rounded. */
const tolerance = 0.02

// Bounds of planners are made of scale factors, simulations of paths: they must speak of the same pipeline.
function checkScaleFactors(
  profile: Profile,
  visits: readonly (readonly [name: string, count: number])[],
): void {
  for (const [name, count] of visits) {
    const scaleFactor = profile.stages[name]?.scaleFactor ?? Number.NaN
    if (Math.abs(scaleFactor - count) <= tolerance * (1 + count)) continue
    const problem =
      `stages.${name}.scaleFactor is ${scaleFactor}, but by its paths the stage runs ` +
      `${Number(count.toPrecision(4))} times a request`
    throw profileError(profile, { problem })
  }
}
