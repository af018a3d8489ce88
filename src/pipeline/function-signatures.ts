import { checkSupported, findOutput } from './declared-value.ts'
import { definitionError } from './definition-error.ts'
import type { ValueShape } from './function-options.ts'
import { itemView } from './items.ts'
import { findLevels, type Levels } from './levels.ts'
import type { Pipeline } from './pipeline.ts'
import { parseReference, requestNode } from './reference.ts'
import { agree, narrow, widen } from './shape.ts'
import { type FunctionStage, isFunctionStage, type Stage, stageLabel } from './stage.ts'
import { describeShape, type ModelSignature, type TensorSpec } from './tensor-spec.ts'

/**
 * What the functions of a pipeline take and give, by the names of their stages, as if they were models: the first
 * dimension of every tensor is open and counts rows. Pure. `models` must hold the signatures of the models. Types and
 * shapes that an input does not declare are those of what feeds it.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where they do not follow from anything, or a model is missing.
 */
export function functionSignatures(
  pipeline: Pipeline,
  models: ReadonlyMap<string, ModelSignature>,
): ReadonlyMap<string, ModelSignature> {
  const where = `pipeline "${pipeline.name}"`
  const stages = new Map<string, Stage>(Object.entries(pipeline.stages))
  const levels = findLevels({ where, stages, order: pipeline.order })
  const known: Known = { where, stages, models, levels }
  const functions = [...stages].flatMap(([name, stage]) => {
    return isFunctionStage(stage) ? [[name, signatureOf(name, stage, known)] as const] : []
  })
  return new Map(functions)
}

interface Known {
  readonly where: string
  readonly stages: ReadonlyMap<string, Stage>
  readonly models: ReadonlyMap<string, ModelSignature>
  readonly levels: Levels
}

function signatureOf(name: string, stage: FunctionStage, known: Known): ModelSignature {
  const where = `${known.where}, stage "${name}" (${stageLabel(stage)})`
  const inputs = Object.entries(stage.inputs).map(([input, candidates]) => {
    const declared = stage.inputShapes[input]
    if (declared !== undefined) return tensorOf(input, declared)
    const place = `${where}, input "${input}"`
    const item = shapeOfCandidates(candidates, known, place)
    const gathers = known.levels.isGathered(stage, candidates)
    return tensorOf(input, gathers ? { ...item, dims: [-1, ...item.dims] } : item)
  })
  return { inputs, outputs: outputsOf(stage) }
}

function outputsOf(stage: FunctionStage): readonly TensorSpec[] {
  return Object.entries(stage.outputs).map(([output, shape]) => tensorOf(output, shape))
}

function tensorOf(name: string, { type, dims }: ValueShape): TensorSpec {
  return { name, type, dims: [-1, ...dims], symbols: ['rows', ...dims.map(() => '')] }
}

// Where they differ, bindPipeline says so; here the first one counts.
function shapeOfCandidates(candidates: readonly string[], known: Known, where: string): ValueShape {
  const [first, ...others] = candidates
    .map((text) => shapeOfValue(text, known, where))
    .filter((shape) => shape !== undefined)
  if (first !== undefined) return others.reduce(either, first)
  const problem = `nothing says what ${candidates.map((text) => `'${text}'`).join(', ')} is`
  throw definitionError(where, `${problem}; write { from, type, dims } with the dims of one row`)
}

function either(one: ValueShape, other: ValueShape): ValueShape {
  return agree(one.dims, other.dims) ? { type: one.type, dims: widen(one.dims, other.dims) } : one
}

function both(one: ValueShape, other: ValueShape): ValueShape {
  return agree(one.dims, other.dims) ? { type: one.type, dims: narrow(one.dims, other.dims) } : one
}

function shapeOfValue(text: string, known: Known, where: string): ValueShape | undefined {
  const { node } = parseReference(text)
  if (node === requestNode) return shapeOfRequest(text, known)
  const stage = known.stages.get(node)
  if (stage === undefined) throw definitionError(where, `'${text}' leads to no stage`)
  const outputs = isFunctionStage(stage) ? outputsOf(stage) : modelOf(node, known).outputs
  const spec = outputs[findOutput(text, { stage, signature: { outputs }, where })] as TensorSpec
  checkSupported(spec, `${where}, '${text}'`)
  return rowOf(stage.fanOut ? itemView(spec) : spec, text, where)
}

/** As those declare it that take it; undefined where nobody does. */
function shapeOfRequest(text: string, known: Known): ValueShape | undefined {
  const declared = [...known.stages].flatMap(([name, stage]) => {
    return Object.entries(stage.inputs)
      .filter(([, candidates]) => candidates.includes(text))
      .flatMap(([input]) => declaredInput(name, stage, input, known))
  })
  const [first, ...others] = declared
  return first === undefined ? undefined : others.reduce(both, first)
}

function declaredInput(
  name: string,
  stage: Stage,
  input: string,
  known: Known,
): readonly ValueShape[] {
  if (isFunctionStage(stage)) {
    const shape = stage.inputShapes[input]
    return shape === undefined ? [] : [shape]
  }
  const spec = modelOf(name, known).inputs.find((found) => found.name === input)
  if (spec === undefined || spec.dims.length === 0) return [] // bindPipeline has more to say about it
  return [{ type: spec.type, dims: spec.dims.slice(1) }]
}

function rowOf(spec: TensorSpec, text: string, where: string): ValueShape {
  const [rows, ...dims] = spec.dims
  if (rows === -1 || rows === 1) return { type: spec.type, dims }
  const problem = `'${text}' is ${describeShape(spec)}, whose first dimension cannot count rows`
  throw definitionError(where, `${problem}; a function takes rows: add that dimension in the model`)
}

function modelOf(name: string, { where, models }: Known): ModelSignature {
  const model = models.get(name)
  if (model !== undefined) return model
  throw definitionError(`${where}, stage "${name}"`, 'expected its model, got none; load it first')
}
