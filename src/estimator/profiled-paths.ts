// The joint distribution of branches, as it was measured, in the form the simulator draws from.
import { describe, suggest } from '../check.ts'
import type { NativeSimulatorSpec } from '../native/simulator.ts'
import type { ItemsProfile, Profile } from '../profile/profile.ts'
import { profileError } from './profile-error.ts'
import { describeLevel, isSameLevel, type Level } from './stage-levels.ts'

type NativePath = NativeSimulatorSpec['paths'][number]

/** Stages as the simulator counts them. */
export interface PlacedStages {
  readonly index: ReadonlyMap<string, number>
  readonly levels: ReadonlyMap<string, Level>
}

/** What one row, or item, visits. */
type Way = Pick<ItemsProfile, 'visits' | 'items'>

/**
 * The paths of a profile that has some: those of items come before those that open them.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE for a path that visits an unknown stage, or one that does not run there.
 */
export function profiledPaths(profile: Profile, stages: PlacedStages): readonly NativePath[] {
  const compiler = new PathCompiler(profile, stages)
  for (const [at, path] of (profile.paths ?? []).entries()) {
    const where = `paths[${at}]`
    const rows = path.rows ?? []
    const way = { visits: path.visits ?? [], items: path.items }
    if (path.rows !== undefined && (path.visits !== undefined || path.items !== undefined)) {
      const problem = `${where} has rows and visits; visits of rows are said in them`
      throw profileError(profile, { problem })
    }
    if (!Number.isFinite(path.share) || path.share < 0) {
      const problem = `${where}.share: expected a number of at least 0, got ${describe(path.share)}`
      throw profileError(profile, { problem })
    }
    compiler.addRequest({ share: path.share, way, rows, where })
  }
  if (compiler.paths.some(({ share }) => share > 0)) return compiler.paths
  throw profileError(profile, { problem: 'none of its paths has a share above 0' })
}

class PathCompiler {
  readonly paths: NativePath[] = []
  readonly #profile: Profile
  readonly #stages: PlacedStages
  /** Ways of items that were met before, by what they are. */
  readonly #known = new Map<string, number>()

  constructor(profile: Profile, stages: PlacedStages) {
    this.#profile = profile
    this.#stages = stages
  }

  addRequest(request: {
    readonly share: number
    readonly way: Way
    readonly rows: readonly ItemsProfile[]
    readonly where: string
  }): void {
    const { share, way, rows, where } = request
    const path = this.#pathOf(way, { level: [], where })
    const items = this.#itemsOf(rows, { opener: -1, level: [], where: `${where}.rows` })
    this.paths.push({ ...path, items: [...path.items, ...items], share })
  }

  #pathOf(way: Way, { level, where }: { level: Level; where: string }): Omit<NativePath, 'share'> {
    const visits = way.visits.map((name, at) => {
      if (way.visits.indexOf(name) !== at) {
        const fix = 'a stage runs once for a row, or for an item'
        throw this.#error(`${where} visits "${name}" twice`, fix)
      }
      return [this.#indexOf(name, { level, where: `${where} visits` }), 1] as const
    })
    visits.sort(([left], [right]) => left - right)
    const items = Object.entries(way.items ?? {}).flatMap(([name, list]) => {
      const opener = this.#openerOf(name, { way, level, where })
      return this.#itemsOf(list, {
        opener,
        level: [...level, name],
        where: `${where}.items.${name}`,
      })
    })
    return { visits, items }
  }

  #itemsOf(
    list: readonly ItemsProfile[],
    { opener, level, where }: { opener: number; level: Level; where: string },
  ): NativePath['items'] {
    return list.flatMap(({ times, visits, items }, at) => {
      if (!Number.isSafeInteger(times) || times < 0) {
        const problem = `${where}[${at}].times: expected an integer of at least 0, got ${describe(times)}`
        throw this.#error(problem)
      }
      if (times === 0) return []
      const path = this.#itemPath({ visits, items }, { level, where: `${where}[${at}]` })
      return [[opener, times, path] as const]
    })
  }

  #itemPath(way: Way, place: { level: Level; where: string }): number {
    const path = this.#pathOf(way, place)
    const key = JSON.stringify(path)
    const known = this.#known.get(key) ?? this.paths.push({ ...path, share: 0 }) - 1
    this.#known.set(key, known)
    return known
  }

  #indexOf(name: string, { level, where }: { level: Level; where: string }): number {
    const index = this.#stages.index.get(name)
    if (index === undefined) {
      throw this.#error(
        `${where} an unknown stage "${name}"`,
        suggest(name, this.#stages.index.keys()),
      )
    }
    const own = this.#stages.levels.get(name) ?? []
    if (isSameLevel(own, level)) return index
    const problem = `${where} "${name}" ${describeLevel(level)}, but it runs ${describeLevel(own)}`
    throw this.#error(problem)
  }

  #openerOf(
    name: string,
    { way, level, where }: { way: Way; level: Level; where: string },
  ): number {
    const index = this.#indexOf(name, { level, where: `${where} has items of` })
    if (this.#profile.stages[name]?.fanOut !== true) {
      throw this.#error(`${where} has items of "${name}", which is no fan-out`)
    }
    if (way.visits.includes(name)) return index
    throw this.#error(`${where} has items of "${name}", which it does not visit`)
  }

  #error(problem: string, fix?: string): Error {
    return profileError(this.#profile, fix === undefined ? { problem } : { problem, fix })
  }
}
