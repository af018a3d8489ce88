// What a schema cannot say of a profile's paths. Whether a stage can run where a path has it is for the estimator, which
// places stages before and behind fan-outs.
import { suggest } from '../check.ts'
import type { JsonProblem } from '../json/json-problem.ts'
import type { ItemsProfile, Profile } from './profile.ts'
import { unknownStage } from './profile-edges.ts'

type Place = readonly (string | number)[]

/** What a row, or an item, visits. */
type Way = Pick<ItemsProfile, 'visits' | 'items'>

export function* pathProblems({ stages, paths }: Profile): Iterable<JsonProblem> {
  for (const [at, { visits, items, rows }] of (paths ?? []).entries()) {
    const place: Place = ['paths', at]
    if (rows !== undefined && items !== undefined) {
      const problem = 'expected no items beside rows, each of which has its own, got some'
      yield { path: [...place, 'items'], problem }
    }
    if (visits !== undefined) yield* wayProblems({ visits, items }, { place, stages })
    yield* groupProblems(rows ?? [], { place: [...place, 'rows'], stages })
  }
}

interface Context {
  readonly place: Place
  readonly stages: Profile['stages']
}

function* wayProblems({ visits, items }: Way, { place, stages }: Context): Iterable<JsonProblem> {
  const names = Object.keys(stages)
  const unknown = visits.findIndex((name) => !names.includes(name))
  if (unknown >= 0) {
    yield unknownStage([...place, 'visits', unknown], visits[unknown] ?? '', names)
  }
  const fanOuts = visits.filter((name) => stages[name]?.fanOut === true)
  for (const [name, groups] of Object.entries(items ?? {})) {
    const path = [...place, 'items', name]
    if (!fanOuts.includes(name)) {
      const problem = `expected items of a stage with fanOut that is visited, got those of "${name}"`
      yield { path, problem, fix: suggest(name, fanOuts) }
    }
    yield* groupProblems(groups, { place: path, stages })
  }
}

function* groupProblems(
  groups: readonly ItemsProfile[],
  { place, stages }: Context,
): Iterable<JsonProblem> {
  for (const [at, group] of groups.entries()) {
    yield* wayProblems(group, { place: [...place, at], stages })
  }
}
