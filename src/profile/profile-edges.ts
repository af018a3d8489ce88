// What a schema cannot say of a profile's edges.
import { suggest } from '../check.ts'
import type { JsonProblem } from '../json/json-problem.ts'
import type { Profile } from './profile.ts'

type Followers = ReadonlyMap<string, readonly string[]>

export function* edgeProblems({ stages, edges }: Profile): Iterable<JsonProblem> {
  const names = Object.keys(stages)
  const seen = new Map<string, number>()
  for (const [at, edge] of edges.entries()) {
    const path = ['edges', at]
    const unknown = edge.findIndex((name) => !names.includes(name))
    if (unknown >= 0) yield unknownStage([...path, unknown], edge[unknown] ?? '', names)
    const first = seen.get(edge.join(' '))
    if (first !== undefined) {
      const problem = `expected each edge once, got that of edges[${first}] again`
      yield { path, problem }
    }
    seen.set(edge.join(' '), at)
  }
  const followers = followersOf(names, edges)
  const cycle = cycleOf(names, followers)
  if (cycle !== undefined) {
    const problem = `expected no cycle, got ${cycle.join(' -> ')}`
    yield { path: ['edges'], problem, fix: 'leave out one of these edges' }
  }
  yield* gatherProblems(stages, followers)
}

/** A name at this place is none of the stages. */
export function unknownStage(
  path: readonly (string | number)[],
  name: string,
  names: readonly string[],
): JsonProblem {
  return { path, problem: `there is no stage "${name}"`, fix: suggest(name, names) }
}

function* gatherProblems(stages: Profile['stages'], followers: Followers): Iterable<JsonProblem> {
  const fanOuts = Object.keys(stages).filter((name) => stages[name]?.fanOut === true)
  for (const [name, { gather }] of Object.entries(stages)) {
    if (gather === undefined) continue
    const path = ['stages', name, 'gather']
    if (!fanOuts.includes(gather)) {
      const problem = `expected a stage with fanOut, got "${gather}"`
      yield { path, problem, fix: suggest(gather, fanOuts) }
    } else if (!reaches(gather, { target: name, followers })) {
      const problem = `expected a stage that this one waits for, got "${gather}"`
      yield { path, problem, fix: `lead edges from "${gather}" to "${name}"` }
    }
  }
}

function followersOf(names: readonly string[], edges: Profile['edges']): Followers {
  return new Map(
    names.map((name) => [name, edges.filter(([from]) => from === name).map(([, to]) => to)]),
  )
}

function reaches(
  start: string,
  { target, followers }: { readonly target: string; readonly followers: Followers },
): boolean {
  const reached = new Set([start])
  for (const name of reached) for (const next of followers.get(name) ?? []) reached.add(next)
  return start !== target && reached.has(target)
}

/** The stages of a cycle in their order, the first of them again at the end. */
function cycleOf(names: readonly string[], followers: Followers): readonly string[] | undefined {
  // Whoever leads nowhere is in no cycle; what is left then always leads on, so that a walk comes back.
  const left = new Set(names)
  const leadsOn = (name: string) => (followers.get(name) ?? []).find((next) => left.has(next))
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const name of left) if (leadsOn(name) === undefined) left.delete(name)
  }
  const walk: string[] = []
  for (let name = [...left][0]; name !== undefined; name = leadsOn(name)) {
    const start = walk.indexOf(name)
    if (start >= 0) return [...walk.slice(start), name]
    walk.push(name)
  }
  return undefined
}
