// Which stages requests visit together, out of what the taps of their runs said.
import type { ItemsProfile, PathProfile } from './profile.ts'
import type { Tap } from './tapped-pipeline.ts'

/** What the taps said of one request: their outputs, in full. */
export type Sightings = Readonly<Record<string, ArrayLike<number>>>

/** What all samples came to. */
export interface Visited {
  readonly paths: readonly PathProfile[]
  readonly requests: number
  /** Rows and items that a stage was run for, all requests together. */
  readonly visits: ReadonlyMap<string, number>
}

type Way = Omit<ItemsProfile, 'times'>

/** Gathers requests: equal ones are counted, and those of equal items or rows one after the other are, too. */
export class PathCounter {
  readonly #seen: readonly Tap[]
  readonly #counts: readonly Tap[]
  readonly #shares = new Map<string, { readonly path: Omit<PathProfile, 'share'>; share: number }>()
  readonly #visits = new Map<string, number>()
  #requests = 0

  constructor(taps: { readonly seen: readonly Tap[]; readonly counts: readonly Tap[] }) {
    this.#seen = taps.seen
    this.#counts = taps.counts
  }

  /** One request of so many rows, and what its taps said. */
  add(rows: number, sightings: Sightings): void {
    this.#requests++
    for (const { stage, output } of this.#seen) {
      const times = Array.from(sightings[output] ?? []).reduce((sum, one) => sum + one, 0)
      this.#visits.set(stage, (this.#visits.get(stage) ?? 0) + times)
    }
    const walk = new Walk({ seen: this.#seen, counts: this.#counts, sightings })
    const ways = Array.from({ length: rows }, (_, row) => walk.wayOf('', row))
    const path = rows === 1 ? (ways[0] as Way) : { rows: runLengths(ways) }
    const key = JSON.stringify(path)
    const found = this.#shares.get(key)
    if (found === undefined) this.#shares.set(key, { path, share: 1 })
    else found.share++
  }

  result(): Visited {
    const paths = [...this.#shares.values()].map(({ path, share }) => ({ share, ...path }))
    return { paths, requests: this.#requests, visits: new Map(this.#visits) }
  }
}

/** Through the values of one request. Those of items lie in the order of the rows, and items, that have them. */
class Walk {
  readonly #given: {
    readonly seen: readonly Tap[]
    readonly counts: readonly Tap[]
    readonly sightings: Sightings
  }
  /** Items of each fan-out stage that were met so far. */
  readonly #met = new Map<string, number>()

  constructor(given: { seen: readonly Tap[]; counts: readonly Tap[]; sightings: Sightings }) {
    this.#given = given
  }

  /** Of a row, where the opener is '', or of an item of a fan-out stage. */
  wayOf(opener: string, index: number): Way {
    const here = ({ level }: Tap): boolean => (level.at(-1) ?? '') === opener
    const value = ({ output }: Tap): number => this.#given.sightings[output]?.[index] ?? 0
    const visits = this.#given.seen.filter((tap) => here(tap) && value(tap) === 1)
    const opened = this.#given.counts.filter((tap) => here(tap) && value(tap) >= 0)
    const items = opened.map((tap) => [tap.stage, this.#itemsOf(tap.stage, value(tap))] as const)
    const names = visits.map(({ stage }) => stage)
    return opened.length === 0
      ? { visits: names }
      : { visits: names, items: Object.fromEntries(items) }
  }

  #itemsOf(opener: string, count: number): readonly ItemsProfile[] {
    const first = this.#met.get(opener) ?? 0
    this.#met.set(opener, first + count)
    return runLengths(Array.from({ length: count }, (_, at) => this.wayOf(opener, first + at)))
  }
}

/** Equal ones in a row become one, with how many there were. */
export function runLengths(ways: readonly Way[]): readonly ItemsProfile[] {
  const runs: { times: number; way: Way; key: string }[] = []
  for (const way of ways) {
    const key = JSON.stringify(way)
    const last = runs.at(-1)
    if (last?.key === key) last.times++
    else runs.push({ times: 1, way, key })
  }
  return runs.map(({ times, way }) => ({ times, ...way }))
}
