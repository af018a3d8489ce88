// What every step of binding looks at: the stages beside their models, and what a reference leads
// to.
import { suggest } from '../check.ts'
import type { BoundValue, Source } from './bound-pipeline.ts'
import { definitionError } from './definition-error.ts'
import type { Pipeline } from './pipeline.ts'
import { parseReference, requestNode } from './reference.ts'
import { type Stage, stageLabel } from './stage.ts'
import { isTensorType } from './tensor.ts'
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
   * so 1 comes first.
   */
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

export interface Binding {
  readonly pipeline: Pipeline
  readonly where: string
  readonly stages: readonly StageView[]
  readonly batched: boolean
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
  const found = pipeline.order.map((name) => ({ name, signature: findModel(name, where, models) }))
  const single = found.find(({ signature }) => !isBatched(signature))
  const stages = found.map(({ name, signature }) => {
    return viewStage(pipeline, name, signature, single === undefined)
  })
  const mixed = single !== undefined && stages.some((stage) => stage.batched)
  return {
    pipeline,
    where,
    stages,
    batched: single === undefined,
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
  const outputs = binding.stages[stage]?.outputs ?? []
  const output = outputs.findIndex(({ name }) => name === value)
  const spec = outputs[output]
  if (spec === undefined) throw unknownOutput(text, binding.stages[stage], where)
  checkSupported(spec, `${where}, '${text}'`)
  return { text, source: { kind: 'stage', stage, output }, spec }
}

/**
 * A model may declare element types that no pipeline carries, such as complex64: an error only
 * where it is used.
 */
export function checkSupported(spec: TensorSpec, where: string): void {
  if (isTensorType(spec.type)) return
  const problem = `the model declares "${spec.name}" as ${String(spec.type)}`
  throw definitionError(where, `${problem}, which pipelines cannot carry; convert it in the model`)
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

function viewStage(
  pipeline: Pipeline,
  name: string,
  signature: ModelSignature,
  manyRows: boolean,
): StageView {
  const definition = pipeline.stages[name] as Stage
  const batched = isBatched(signature)
  const seen = (spec: TensorSpec): TensorSpec => {
    return batched && !manyRows ? { ...spec, dims: [1, ...spec.dims.slice(1)] } : spec
  }
  return {
    name,
    where: `pipeline "${pipeline.name}", stage "${name}" (${stageLabel(definition)})`,
    definition,
    signature,
    batched,
    inputs: signature.inputs.map(seen),
    outputs: signature.outputs.map(seen),
  }
}

function unknownOutput(text: string, stage: StageView | undefined, where: string): Error {
  if (stage === undefined) return definitionError(where, `'${text}' leads to no stage`)
  const names = stage.outputs.map(({ name }) => name)
  const model = `the model ${stageLabel(stage.definition)}`
  const { value } = parseReference(text)
  const problem = `${model} has no output "${value}" for '${text}'`
  return definitionError(where, `${problem}; ${suggest(value, names)}`)
}
