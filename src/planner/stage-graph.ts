import type { ItemsProfile, PathProfile, Profile } from '../profile/profile.ts'

/** What the planner's bounds need to know of a profile's shape. Stages are numbered in topological order. */
export interface StageGraph {
  readonly names: readonly string[]
  /** Stages that each stage waits for. */
  readonly predecessors: readonly (readonly number[])[]
  /**
   * By stage, those that every request visits, once, that visits it: itself among them. Only itself where requests have
   * items or several rows, whose ways part.
   */
  readonly together: readonly (readonly boolean[])[]
  /** Stages that every request visits exactly once. */
  readonly always: readonly boolean[]
  /** The most rows that one request brings to each stage. */
  readonly mostRows: readonly number[]
}

/** Least times around each stage, of requests that visit it. */
export interface Floors {
  readonly beforeMs: readonly number[]
  readonly afterMs: readonly number[]
}

/** The profile is taken to be valid: every edge names stages, and there is no cycle. */
export function stageGraph(profile: Profile): StageGraph {
  const names = topologicalOrder(profile)
  const predecessors = names.map((name) =>
    profile.edges.filter(([, to]) => to === name).map(([from]) => names.indexOf(from)),
  )
  const simple = isSimple(profile)
  const ways = simple ? waysOf(profile, names) : []
  const visited = (way: readonly boolean[], stage: number): boolean => way[stage] ?? false
  return {
    names,
    predecessors,
    together: names.map((_, one) =>
      names.map(
        (_, other) =>
          one === other ||
          (simple && ways.every((way) => !visited(way, one) || visited(way, other))),
      ),
    ),
    always: names.map((_, stage) => simple && ways.every((way) => visited(way, stage))),
    mostRows: names.map((name) => mostRows(profile, name)),
  }
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
  for (const [stage, before] of graph.predecessors.entries()) {
    const reached = Math.max(0, ...before.map((each) => ends[each] ?? 0))
    ends.push(graph.always[stage] === true ? reached + (timesMs[stage] ?? 0) : 0)
  }
  return Math.max(0, ...ends)
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
      if (before >= stage) rest[before] = Math.max(rest[before] ?? 0, own)
    }
  }
  return rest[stage] ?? 0
}

function topologicalOrder({ stages, edges }: Profile): readonly string[] {
  const placed = new Set<string>()
  const waiting = new Set(Object.keys(stages))
  while (waiting.size > 0) {
    const ready = [...waiting].find((name) =>
      edges.every(([from, to]) => to !== name || placed.has(from)),
    )
    if (ready === undefined) throw new Error('a profile with a cycle must not come this far')
    waiting.delete(ready)
    placed.add(ready)
  }
  return [...placed]
}

// One row a request and no items: which stages two visits share can be told.
function isSimple({ stages, paths }: Profile): boolean {
  const plain = Object.values(stages).every(
    ({ scaleFactor, fanOut }) => fanOut !== true && scaleFactor <= 1,
  )
  return plain && (paths ?? []).every(({ items, rows }) => items === undefined && rows === undefined)
}

// Without paths each stage below 1 may be missed by itself, whatever else is visited.
function waysOf({ stages, paths }: Profile, names: readonly string[]): boolean[][] {
  if (paths !== undefined) {
    const taken = paths.filter(({ share }) => share > 0)
    return taken.map(({ visits = [] }) => names.map((name) => visits.includes(name)))
  }
  const certain = names.map((name) => (stages[name]?.scaleFactor ?? 0) >= 1)
  return names.map((_, stage) => certain.map((always, other) => always || other === stage))
}

function mostRows({ stages, paths }: Profile, name: string): number {
  const scaleFactor = stages[name]?.scaleFactor ?? 1
  if (paths === undefined) return Math.max(1, Math.ceil(scaleFactor))
  return Math.max(1, ...paths.map((path) => rowsOf(path, name)))
}

function rowsOf({ visits = [], items = {}, rows = [] }: PathProfile, name: string): number {
  return sum([
    visits.filter((visit) => visit === name).length,
    ...Object.values(items).map((each) => rowsOfItems(each, name)),
    rowsOfItems(rows, name),
  ])
}

function rowsOfItems(items: readonly ItemsProfile[], name: string): number {
  return sum(items.map((item) => item.times * rowsOf({ ...item, share: 1 }, name)))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
