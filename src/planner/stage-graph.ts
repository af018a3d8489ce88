import { describePipeline } from '../estimator/simulated-pipeline.ts'
import type { Profile } from '../profile/profile.ts'

/** What the planner's bounds need to know of a profile's shape. Stages are numbered as the simulator does, each after those it waits for. */
export interface StageGraph {
  readonly names: readonly string[]
  /** Stages that each stage waits for. */
  readonly predecessors: readonly (readonly number[])[]
  /**
   * By stage, those that every request visits that visits it: itself among them. Only itself where requests have items or
   * several rows, whose ways part.
   */
  readonly together: readonly (readonly boolean[])[]
  /** Stages that every request visits exactly once. */
  readonly always: readonly boolean[]
  /** The most rows that one request brings to each stage. */
  readonly mostRows: readonly number[]
  /** Rows of each stage for a request, on average. */
  readonly meanRows: readonly number[]
  /** Which stages requests visit, and how many do so for each that does; absent where requests have items or several rows. */
  readonly ways: readonly Way[] | undefined
}

export interface Way {
  readonly share: number
  /** By stage. */
  readonly visited: readonly boolean[]
}

/** @throws {MillraceError} MILLRACE_INVALID_FILE where the profile contradicts itself. */
export function stageGraph(profile: Profile): StageGraph {
  const { stages: names, visitsPerRequest, spec } = describePipeline(profile)
  const ways = waysOf(spec.paths, names.length)
  const onEvery = (one: number, other: number): boolean =>
    ways?.every(({ visited }) => visited[one] !== true || visited[other] === true) ?? false
  return {
    names,
    predecessors: spec.stages.map(({ predecessors }) => predecessors),
    together: names.map((_, one) => names.map((_, other) => one === other || onEvery(one, other))),
    always: names.map((_, stage) => ways?.every(({ visited }) => visited[stage]) ?? false),
    mostRows: mostRows(spec.paths, names.length),
    meanRows: names.map((name) => visitsPerRequest[name] ?? 0),
    ways,
  }
}

/** Least times around each stage, of requests that visit it. */
export interface Floors {
  readonly beforeMs: readonly number[]
  readonly afterMs: readonly number[]
}

/** The longest chains of least times before and after each stage. */
export function floors(graph: StageGraph, leastMs: readonly number[]): Floors {
  const stages = graph.names.map((_, stage) => stage)
  return {
    beforeMs: stages.map((stage) => longestTo(graph, { stage, leastMs })),
    afterMs: stages.map((stage) => longestFrom(graph, { stage, leastMs })),
  }
}

/** The longest chain of times through stages that every request visits. */
export function longestAlways(graph: StageGraph, timesMs: readonly number[]): number {
  const ends: number[] = []
  let longest = 0
  for (const [stage, before] of graph.predecessors.entries()) {
    let reached = 0
    for (const each of before) reached = Math.max(reached, ends[each] ?? 0)
    const end = graph.always[stage] === true ? reached + (timesMs[stage] ?? 0) : 0
    ends.push(end)
    longest = Math.max(longest, end)
  }
  return longest
}

/** The longest chain of times through any stages, as if a request visited them all. */
export function longestPathMs(graph: StageGraph, timesMs: readonly number[]): number {
  return longestAlways({ ...graph, always: graph.names.map(() => true) }, timesMs)
}

interface ChainQuery {
  readonly stage: number
  readonly leastMs: readonly number[]
}

function longestTo(graph: StageGraph, { stage, leastMs }: ChainQuery): number {
  const ends: number[] = []
  for (let each = 0; each <= stage; each++) {
    const before = (graph.predecessors[each] ?? []).filter((one) => graph.together[stage]?.[one])
    const reached = Math.max(0, ...before.map((one) => ends[one] ?? 0))
    if (each === stage) return reached
    ends.push(reached + (leastMs[each] ?? 0))
  }
  return 0
}

function longestFrom(graph: StageGraph, { stage, leastMs }: ChainQuery): number {
  const rest = graph.names.map(() => 0)
  for (let each = graph.names.length - 1; each >= stage; each--) {
    if (graph.together[stage]?.[each] !== true) continue
    const own = (rest[each] ?? 0) + (each === stage ? 0 : (leastMs[each] ?? 0))
    for (const before of graph.predecessors[each] ?? []) {
      rest[before] = Math.max(rest[before] ?? 0, own)
    }
  }
  return rest[stage] ?? 0
}

type SimulatedPath = ReturnType<typeof describePipeline>['spec']['paths'][number]

function waysOf(paths: readonly SimulatedPath[], stages: number): readonly Way[] | undefined {
  const taken = paths.filter(({ share }) => share > 0)
  const plain = taken.every(
    ({ visits, items }) => items.length === 0 && visits.every(([, times]) => times === 1),
  )
  if (!plain) return undefined
  return taken.map(({ share, visits }) => ({
    share,
    visited: Array.from({ length: stages }, (_, stage) => visits.some(([one]) => one === stage)),
  }))
}

function mostRows(paths: readonly SimulatedPath[], stages: number): readonly number[] {
  const most = new Array<number>(stages).fill(1)
  // Paths of items come before those that open them.
  const ofPaths: number[][] = []
  for (const { visits, items } of paths) {
    const rows = new Array<number>(stages).fill(0)
    const add = (stage: number, count: number): void => {
      rows[stage] = (rows[stage] ?? 0) + count
    }
    for (const [stage, times] of visits) add(stage, times)
    for (const [, times, path] of items) {
      for (const [stage, count] of (ofPaths[path] ?? []).entries()) add(stage, times * count)
    }
    ofPaths.push(rows)
    for (const [stage, count] of rows.entries()) most[stage] = Math.max(most[stage] ?? 1, count)
  }
  return most
}
