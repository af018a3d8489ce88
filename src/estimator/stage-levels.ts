// How often stages of a profile run: at the outermost level once for each row of a request, at the level of a fan-out
// stage once for each of its items. src/pipeline/levels.ts asks the same of a definition; a profile has only edges.
import type { Profile } from '../profile/profile.ts'
import { profileError } from './profile-error.ts'
import type { StageOrder } from './stage-order.ts'

/** The fan-out stages for each of whose items a stage runs, from the outermost; none: rows of the request. */
export type Level = readonly string[]

/**
 * The level of each stage, by name.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE where a stage waits for items of unrelated fan-outs, or cannot gather.
 */
export function levelStages(profile: Profile, order: StageOrder): ReadonlyMap<string, Level> {
  const levels = new Map<string, Level>()
  const levelOfOutput = (name: string): Level => {
    const level = levels.get(name) ?? []
    return profile.stages[name]?.fanOut === true ? [...level, name] : level
  }
  for (const name of order.names) {
    const seen = (order.predecessors.get(name) ?? []).map((from) => levelOfOutput(from))
    const gather = profile.stages[name]?.gather
    levels.set(
      name,
      gather === undefined
        ? deepest(profile, { name, seen })
        : levelOfGathering(profile, { name, seen, gather, level: levels.get(gather) ?? [] }),
    )
  }
  return levels
}

/** Whether both are the same. */
export function isSameLevel(left: Level, right: Level): boolean {
  return left.length === right.length && isWithin(left, right)
}

/** For messages: what a stage of that level runs once for. */
export function describeLevel(level: Level): string {
  const opener = level.at(-1)
  return opener === undefined ? 'once for each row of a request' : `for each item of "${opener}"`
}

interface Place {
  readonly name: string
  /** Levels of what it waits for. */
  readonly seen: readonly Level[]
}

function deepest(profile: Profile, { name, seen }: Place): Level {
  const level = seen.reduce((left, right) => (right.length > left.length ? right : left), [])
  const odd = seen.find((other) => !isWithin(other, level))
  if (odd === undefined) return level
  const problem =
    `stage "${name}" waits for items of "${odd.at(-1)}" and of "${level.at(-1)}", ` +
    'which have nothing to do with each other'
  throw profileError(profile, { problem, fix: 'one of them has to be gathered first' })
}

function levelOfGathering(
  profile: Profile,
  { name, seen, gather, level }: Place & { readonly gather: string; readonly level: Level },
): Level {
  if (profile.stages[gather]?.fanOut !== true) {
    const problem = `stage "${name}" gathers items of "${gather}", which is no fan-out`
    throw profileError(profile, { problem, fix: `give "${gather}" fanOut: true` })
  }
  const items = [...level, gather]
  const odd = seen.find((other) => !isWithin(other, level) && !isSameLevel(other, items))
  if (odd === undefined) return level
  const problem = `stage "${name}" gathers items of "${gather}", but waits for items of "${odd.at(-1)}" as well`
  throw profileError(profile, { problem, fix: 'these have to be gathered first' })
}

function isWithin(outer: Level, inner: Level): boolean {
  return outer.every((name, depth) => inner[depth] === name)
}
