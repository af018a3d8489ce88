// A pipeline with a tap beside each stage: a function that is given what the stage is given, under the same condition, and
// so is run by the engine's own routing exactly where the stage is.
//
//   stages    segment (fan-out) -> classify -> join         each `tap` output is 1 where the stage ran, else 0: a value
//   taps      tap-0                tap-1       tap-2        for each row or, inside a fan-out, for each item
//   counting  tap-each-0 (an item each) -> tap-count-0      how many items a row has
import { definePipeline } from '../pipeline/define-pipeline.ts'
import { definitionError } from '../pipeline/definition-error.ts'
import { maxStages } from '../pipeline/draft.ts'
import { inline } from '../pipeline/inline.ts'
import { findLevels, type Level } from '../pipeline/levels.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { parseReference } from '../pipeline/reference.ts'
import { isFunctionStage, type Stage } from '../pipeline/stage.ts'
import type { FunctionInputs } from '../pipeline/stage-function.ts'
import { type PlainStages, plainStages } from './plain-stages.ts'

/** An output of the tapped pipeline that tells of a stage. */
export interface Tap {
  readonly stage: string
  readonly output: string
  /** What it has a value for: rows, or items of the innermost of these fan-out stages. */
  readonly level: Level
}

export interface TappedPipeline {
  readonly pipeline: Pipeline
  /** 1 where the stage ran, else 0; in topological order. */
  readonly seen: readonly Tap[]
  /** Items that a fan-out stage made, -1 where it did not run. */
  readonly counts: readonly Tap[]
  /** Values, by reference, that no tap can be given. */
  readonly values: ReadonlyMap<string, string>
  /** What the user calls a stage of `pipeline`. */
  nameThere(here: string): string
}

export interface TapOptions {
  /** Given what a stage is given, `rows` at once: the first dimension of each tensor counts them. */
  readonly record: (stage: string, inputs: FunctionInputs, rows: number) => void
  /** Stages without a tap, since functions take rows and these take whole tensors. */
  readonly untapped: ReadonlySet<string>
  /** What an output holds where nothing ran, by reference: for the values of those. */
  readonly defaults: ReadonlyMap<string, number | string | boolean>
}

const flag = { type: 'int32', dims: [] } as const

/**
 * The pipeline with its taps. Pure, save for what calls `record` once it runs.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where there are too many stages to stand another beside each.
 */
export function tapPipeline(pipeline: Pipeline, options: TapOptions): TappedPipeline {
  const plain = plainStages(pipeline)
  const where = `pipeline "${pipeline.name}"`
  const stages = new Map<string, Stage>(Object.entries(pipeline.stages))
  const levels = findLevels({ where, stages, order: pipeline.order })
  const made: Made = { stages: { ...plain.stages }, outputs: { ...plain.outputs } }
  const seen: Tap[] = []
  const counts: Tap[] = []
  for (const [at, name] of pipeline.order.entries()) {
    if (options.untapped.has(name)) continue
    const stage = plain.stages[plain.nameHere(name)] as Stage
    const level = levels.ofStage(name)
    seen.push({ stage: name, output: addTap(made, { name, at, stage, plain, options }), level })
    if (!stage.fanOut) continue
    const item = referenceTo(name, { pipeline, plain })
    counts.push({ stage: name, output: addCount(made, { at, item, plain }), level })
  }
  const values = addValues(made, { pipeline, plain, options })
  checkRoom(made, where)
  const { name } = pipeline
  const tapped = definePipeline({ name, ...made } as never) as Pipeline
  return { pipeline: tapped, seen, counts, values, nameThere: plain.nameThere }
}

function checkRoom({ stages }: Made, where: string): void {
  const count = Object.keys(stages).length
  if (count <= maxStages) return
  const problem = `to be profiled it needs ${count} stages, with one that looks on beside each, and ${maxStages} is the most there may be`
  throw definitionError(where, `${problem}; profile a part of it at a time`)
}

interface Made {
  readonly stages: Record<string, unknown>
  readonly outputs: Record<string, unknown>
}

interface TapSource {
  readonly pipeline: Pipeline
  readonly plain: PlainStages
}

interface Tapped {
  readonly name: string
  readonly at: number
  readonly stage: Stage
  readonly plain: PlainStages
  readonly options: TapOptions
}

function addTap(made: Made, { name, at, stage, plain, options }: Tapped): string {
  const inputs = Object.entries(stage.inputs).map(([input, from]) => {
    const shape = isFunctionStage(stage) ? stage.inputShapes[input] : undefined
    return [input, shape === undefined ? from : { from, ...shape }] as const
  })
  const tap = (given: FunctionInputs, { rows }: { rows: number }) => {
    options.record(name, given, rows)
    return { seen: new Int32Array(rows).fill(1) }
  }
  const here = `${plain.prefix}-${at}`
  const { when, gather } = stage
  const wiring = { inputs: Object.fromEntries(inputs), outputs: { seen: flag }, when, gather }
  made.stages[here] = inline(tap, wiring as never)
  made.outputs[here] = { from: `${here}.seen`, default: 0 }
  return here
}

function addCount(
  made: Made,
  { at, item, plain }: { at: number; item: string; plain: PlainStages },
): string {
  const [each, count] = [`${plain.prefix}-each-${at}`, `${plain.prefix}-count-${at}`]
  made.stages[each] = inline((_, { rows }) => ({ here: new Int32Array(rows).fill(1) }), {
    inputs: { item },
    outputs: { here: flag },
  })
  made.stages[count] = inline(
    ({ here }: FunctionInputs, { rows }) => ({
      items: new Int32Array(rows).fill(here?.dims[1] ?? 0),
    }),
    {
      inputs: { here: `${each}.here` },
      outputs: { items: flag },
      gather: item.slice(0, item.indexOf('.')),
    },
  )
  made.outputs[count] = { from: `${count}.items`, default: -1 }
  return count
}

/** Any output of the stage that somebody reads: there is one, or the stage would be of no use. */
function referenceTo(stage: string, { pipeline, plain }: TapSource): string {
  const here = (text: string): string => {
    const { node, value } = parseReference(text)
    return `${plain.nameHere(node)}.${value}`
  }
  const read = [
    ...Object.values<Stage>(pipeline.stages).flatMap(({ inputs, when }) => {
      return [...Object.values(inputs).flat(), ...(when === undefined ? [] : [when.output])]
    }),
    ...Object.values(pipeline.outputs).flatMap(({ candidates }) => candidates),
  ]
  return here(read.find((text) => parseReference(text).node === stage) as string)
}

/** Outputs for the values that stages without a tap are given by others. */
function addValues(
  made: Made,
  { pipeline, plain, options }: { pipeline: Pipeline; plain: PlainStages; options: TapOptions },
): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const name of options.untapped) {
    for (const text of Object.values((pipeline.stages[name] as Stage).inputs).flat()) {
      if (!options.defaults.has(text) || values.has(text)) continue
      const output = `${plain.prefix}-value-${values.size}`
      made.outputs[output] = { from: text, default: options.defaults.get(text) }
      values.set(text, output)
    }
  }
  return values
}
