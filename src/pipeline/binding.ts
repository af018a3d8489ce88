// What every step of binding looks at: the stages beside their models, and what a reference leads
// to.
import type { BoundValue, Source } from './bound-pipeline.ts'
import { checkSupported, findOutput } from './declared-value.ts'
import { definitionError } from './definition-error.ts'
import { functionSignatures } from './function-signatures.ts'
import { checkFanOut, checkGathered, itemView } from './items.ts'
import { findLevels, type Levels } from './levels.ts'
import type { Pipeline } from './pipeline.ts'
import { parseReference, requestNode } from './reference.ts'
import { type Stage, stageLabel } from './stage.ts'
import { isBatched, type ModelSignature, type TensorSpec } from './tensor-spec.ts'

/** A stage beside its model. */
export interface StageView {
  readonly name: string
  /** Begins every message about it. */
  readonly where: string
  readonly definition: Stage
  readonly signature: ModelSignature
  readonly batched: boolean
  /**
   * As this pipeline runs the model: in one that is not batched, a batched model is given one row,
   * so 1 comes first. The dimension that counts the items of a fan-out, where there is one, stands
   * in the place of that which counts rows.
   */
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

export interface Binding {
  readonly pipeline: Pipeline
  readonly where: string
  readonly stages: readonly StageView[]
  readonly batched: boolean
  readonly levels: Levels
  /** Whether the reference is among those of the pipeline. */
  isRead(text: string): boolean
  /** Ends messages about shapes: why a request has one row, where that needs saying; else ''. */
  readonly rowNote: string
}

/** What a reference leads to. */
export interface Value {
  readonly text: string
  readonly source: Source
  /** Its name is the one its model or the request gives it. */
  readonly spec: BoundValue & Partial<Pick<TensorSpec, 'symbols'>>
}

export function openBinding(
  pipeline: Pipeline,
  models: ReadonlyMap<string, ModelSignature>,
): Binding {
  const where = `pipeline "${pipeline.name}"`
  const functions = functionSignatures(pipeline, models)
  const found = pipeline.order.map((name) => {
    return { name, signature: functions.get(name) ?? findModel(name, where, models) }
  })
  const single = found.find(({ signature }) => !isBatched(signature))
  if (single !== undefined) checkNoFanOut(pipeline, single.name, where)
  const levels = findLevels({ where, stages: stagesOf(pipeline), order: pipeline.order })
  const stages = found.map(({ name, signature }) => {
    return viewStage({ pipeline, name, signature, levels, manyRows: single === undefined })
  })
  const references = referencesIn(pipeline)
  const mixed = single !== undefined && stages.some((stage) => stage.batched)
  return {
    pipeline,
    where,
    stages,
    batched: single === undefined,
    levels,
    isRead: (text) => references.has(text),
    rowNote: mixed ? ` (requests have one row, since stage "${single.name}" is not batched)` : '',
  }
}

/** Finds the value, given the inputs of the request as far as they are known. */
export function findValue(
  text: string,
  { binding, inputs, where }: { binding: Binding; inputs: readonly BoundValue[]; where: string },
): Value {
  const { node, value } = parseReference(text)
  if (node === requestNode) {
    const input = inputs.findIndex(({ name }) => name === value)
    const spec = inputs[input]
    if (spec === undefined) throw definitionError(where, `'${text}' feeds no stage`)
    return { text, source: { kind: 'request', input }, spec }
  }
  const stage = binding.stages.findIndex(({ name }) => name === node)
  const view = binding.stages[stage]
  if (view === undefined) throw definitionError(where, `'${text}' leads to no stage`)
  const output = findOutput(text, { stage: view.definition, signature: view, where })
  const spec = view.outputs[output] as TensorSpec
  checkSupported(spec, `${where}, '${text}'`)
  return { text, source: { kind: 'stage', stage, output }, spec }
}

function findModel(
  name: string,
  where: string,
  models: ReadonlyMap<string, ModelSignature>,
): ModelSignature {
  const signature = models.get(name)
  if (signature !== undefined) return signature
  throw definitionError(`${where}, stage "${name}"`, 'expected its model, got none; load it first')
}

interface Viewed {
  readonly pipeline: Pipeline
  readonly name: string
  readonly signature: ModelSignature
  readonly levels: Levels
  /** Whether requests may have more than one. */
  readonly manyRows: boolean
}

function viewStage({ pipeline, name, signature, levels, manyRows }: Viewed): StageView {
  const definition = pipeline.stages[name] as Stage
  const where = `pipeline "${pipeline.name}", stage "${name}" (${stageLabel(definition)})`
  const batched = isBatched(signature)
  const rowsSeen = (spec: TensorSpec): TensorSpec => {
    return batched && !manyRows ? { ...spec, dims: [1, ...spec.dims.slice(1)] } : spec
  }
  if (definition.fanOut) checkFanOut(signature.outputs, where)
  const inputs = signature.inputs.map((spec) => {
    // A model may have an input called `constructor` that nothing feeds.
    const fed = Object.hasOwn(definition.inputs, spec.name) ? definition.inputs[spec.name] : []
    if (!levels.isGathered(definition, fed ?? [])) return rowsSeen(spec)
    checkGathered(spec, `${where}, input "${spec.name}"`)
    return itemView(spec)
  })
  const outputs = signature.outputs.map(definition.fanOut ? itemView : rowsSeen)
  return { name, where, definition, signature, batched, inputs, outputs }
}

function stagesOf(pipeline: Pipeline): ReadonlyMap<string, Stage> {
  return new Map(Object.entries(pipeline.stages))
}

function referencesIn(pipeline: Pipeline): ReadonlySet<string> {
  const ofStages = Object.values(pipeline.stages).flatMap((stage) => {
    return [...Object.values(stage.inputs).flat(), stage.when?.output ?? []].flat()
  })
  const ofOutputs = Object.values(pipeline.outputs).flatMap(({ candidates }) => candidates)
  return new Set([...ofStages, ...ofOutputs])
}

function checkNoFanOut(pipeline: Pipeline, single: string, where: string): void {
  const fan = Object.entries(pipeline.stages).find(([, { fanOut }]) => fanOut)?.[0]
  if (fan === undefined) return
  const problem = `stage "${fan}" fans out, which needs all models batched, but the model of stage "${single}" is not`
  throw definitionError(
    where,
    `${problem}; leave the first dimension of its inputs and outputs open`,
  )
}
