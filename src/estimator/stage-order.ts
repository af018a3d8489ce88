import { suggest } from '../check.ts'
import type { Profile } from '../profile/profile.ts'
import { profileError } from './profile-error.ts'

/** The stages of a profile, and for each those it waits for. */
export interface StageOrder {
  /** Each after those it waits for; otherwise as in the profile. */
  readonly names: readonly string[]
  /** By name, as the edges say. */
  readonly predecessors: ReadonlyMap<string, readonly string[]>
}

/**
 * @throws {MillraceError} MILLRACE_INVALID_FILE for no stage, an edge or `gather` that names an unknown stage, or a cycle.
 */
export function orderStages(profile: Profile): StageOrder {
  const all = Object.keys(profile.stages)
  if (all.length === 0) throw profileError(profile, { problem: 'it has no stages' })
  const predecessors = predecessorsOf(profile, all)
  const needs = new Map(all.map((name) => [name, needsOf(profile, name, predecessors)]))
  const names: string[] = []
  const placed = new Set<string>()
  while (names.length < all.length) {
    const ready = all.find((name) => !placed.has(name) && needs.get(name)?.every(isPlaced))
    if (ready === undefined) {
      const problem = `its edges form a cycle among ${list(all.filter((name) => !placed.has(name)))}`
      throw profileError(profile, { problem, fix: 'remove one of these edges' })
    }
    names.push(ready)
    placed.add(ready)
  }
  return { names, predecessors }

  function isPlaced(name: string): boolean {
    return placed.has(name)
  }
}

function predecessorsOf(
  profile: Profile,
  all: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>(all.map((name) => [name, []]))
  for (const [from, to] of profile.edges) {
    const unknown = [from, to].find((name) => !found.has(name))
    if (unknown !== undefined) {
      const problem = `the edge from "${from}" to "${to}" names a stage that it does not have`
      throw profileError(profile, { problem, fix: suggest(unknown, all) })
    }
    const others = found.get(to)
    if (others?.includes(from) === false) others.push(from)
  }
  return found
}

// A stage that gathers comes after the stage whose items it gathers, also where no edge says so.
function needsOf(
  profile: Profile,
  name: string,
  predecessors: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const waitsFor = predecessors.get(name) ?? []
  const gather = profile.stages[name]?.gather
  if (gather === undefined) return waitsFor
  if (!predecessors.has(gather)) {
    const problem = `stage "${name}" gathers items of "${gather}", a stage that it does not have`
    throw profileError(profile, { problem, fix: suggest(gather, predecessors.keys()) })
  }
  return [...waitsFor, gather]
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}
