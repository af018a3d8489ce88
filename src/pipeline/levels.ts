// How often stages run. At the outermost level a stage runs once for each row of the request; each fan-out stage opens a
// level below its own, where stages run once for each of its items:
//
//   stages         decode -> segment (fan-out) -> classify -> join (gathers segment)
//   run at           []         []              [segment]      []
//   outputs are at   []      [segment]          [segment]      []
//
// What lies further out is seen from within as it is: every item sees the value of its row.
import { suggest } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { parseReference, requestNode } from './reference.ts'
import type { Stage } from './stage.ts'

/** The fan-out stages whose items it is about, from the outermost; none: rows of the request. */
export type Level = readonly string[]

/** Where stages run, and where values are. */
export interface Levels {
  ofStage(name: string): Level
  ofValue(text: string): Level
  /** Whether an input of the stage is given, at once, all values of the items it gathers. */
  isGathered(stage: Stage, candidates: readonly string[]): boolean
}

/** Stages by name, in topological order. */
export interface LeveledStages {
  /** Begins every message about them. */
  readonly where: string
  readonly stages: ReadonlyMap<string, Stage>
  readonly order: readonly string[]
}

/**
 * The levels of all stages.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where a stage reads from unrelated fan-outs, or cannot gather.
 */
export function findLevels({ where, stages, order }: LeveledStages): Levels {
  const placed = new Map<string, Level>()
  const ofValue = (text: string): Level => {
    const { node } = parseReference(text)
    const level = placed.get(node) ?? []
    return node !== requestNode && stages.get(node)?.fanOut === true ? [...level, node] : level
  }
  for (const name of order) {
    const stage = stages.get(name)
    if (stage === undefined) continue
    const place = { where: `${where}, stage "${name}"`, name, stage, stages, placed, ofValue }
    placed.set(name, stage.gather === undefined ? deepest(place) : levelOfGathering(place))
  }
  return {
    ofStage: (name) => placed.get(name) ?? [],
    ofValue,
    isGathered: ({ gather }, candidates) => {
      return gather !== undefined && candidates.some((text) => ofValue(text).at(-1) === gather)
    },
  }
}

/** Checks that candidates, of which one is taken, are of one level. */
export function checkOneLevel(candidates: readonly string[], levels: Levels, where: string): void {
  const [first, ...others] = candidates
  if (first === undefined) return
  const odd = others.find((text) => !isSame(levels.ofValue(text), levels.ofValue(first)))
  if (odd === undefined) return
  const found = [first, odd].map((text) => `'${text}' has a value for each ${unit(levels, text)}`)
  throw definitionError(where, `${found.join(', ')}; list only candidates of one kind`)
}

interface Place {
  readonly where: string
  readonly name: string
  readonly stage: Stage
  readonly stages: ReadonlyMap<string, Stage>
  readonly placed: ReadonlyMap<string, Level>
  ofValue(text: string): Level
}

function deepest({ where, stage, ofValue }: Place): Level {
  let level: Level = []
  let reason = ''
  for (const text of referencesOf(stage)) {
    const other = ofValue(text)
    if (!isWithin(level, other) && !isWithin(other, level)) {
      const found = [`'${reason}', an item of "${level.at(-1)}"`, `'${text}', of "${other.at(-1)}"`]
      const problem = `it reads from two fan-outs that have nothing to do with each other: ${found.join(', and ')}`
      throw definitionError(where, `${problem}; gather one of them first`)
    }
    if (other.length > level.length) [level, reason] = [other, text]
  }
  return level
}

function levelOfGathering(place: Place): Level {
  const { where, stage, placed, ofValue } = place
  const opener = checkOpener(place)
  const level = placed.get(opener) ?? []
  const items = [...level, opener]
  for (const text of referencesOf(stage)) {
    const found = ofValue(text)
    if (isWithin(found, level)) continue
    if (!isSame(found, items)) throw unreachable(text, { found, items, where })
    if (text !== stage.when?.output) continue
    const problem = `'${text}' has a value for each item of "${opener}", but the stage runs once for all of them`
    throw definitionError(`${where}, when`, `${problem}; ask a value from before the fan-out`)
  }
  for (const [input, candidates] of Object.entries(stage.inputs)) {
    const all = candidates.filter((text) => isSame(ofValue(text), items))
    if (all.length === 0 || all.length === candidates.length) continue
    const problem = `'${all[0]}' has a value for each item of "${opener}", other candidates have one for each row`
    throw definitionError(`${where}, input "${input}"`, `${problem}; give each an input of its own`)
  }
  if (
    Object.values(stage.inputs)
      .flat()
      .some((text) => isSame(ofValue(text), items))
  )
    return level
  const problem = `no input is fed by a value of the items of "${opener}"`
  throw definitionError(`${where}, gather`, `${problem}; feed it one, or remove gather`)
}

// The stage gathered must come first: one that does not is not placed yet, and feeds no input.
function checkOpener({ where, name, stage, stages, placed }: Place): string {
  const { gather = '' } = stage
  const fans = [...stages].filter(([, { fanOut }]) => fanOut).map(([fan]) => fan)
  const others = fans.filter((fan) => fan !== name)
  if (!others.includes(gather)) {
    const problem = `expected the name of another stage with fanOut: true, got "${gather}"`
    throw definitionError(`${where}, gather`, `${problem}; ${suggest(gather, others)}`)
  }
  if (placed.has(gather)) return gather
  const problem = `no input is fed by a value of the items of "${gather}"`
  throw definitionError(`${where}, gather`, `${problem}, which comes after it; feed it one`)
}

function unreachable(
  text: string,
  { found, items, where }: { found: Level; items: Level; where: string },
): Error {
  const opener = items.at(-1)
  const inner = found.at(-1)
  const problem = isWithin(items, found)
    ? `'${text}' is of the items of "${inner}", further inside than those of "${opener}"`
    : `'${text}' is of the items of "${inner}", which have nothing to do with those of "${opener}"`
  return definitionError(where, `${problem}; gather "${inner}" first`)
}

function referencesOf(stage: Stage): readonly string[] {
  const inputs = Object.values(stage.inputs).flat()
  return stage.when === undefined ? inputs : [...inputs, stage.when.output]
}

/** Whether `inner` sees the values of `outer`: it is the same level or one below. */
function isWithin(outer: Level, inner: Level): boolean {
  return outer.every((name, depth) => inner[depth] === name)
}

function isSame(left: Level, right: Level): boolean {
  return left.length === right.length && isWithin(left, right)
}

function unit(levels: Levels, text: string): string {
  const opener = levels.ofValue(text).at(-1)
  return opener === undefined ? 'row' : `item of "${opener}"`
}
