import { suggest } from '../check.ts'
import { checkPipeline, definePipeline } from './define-pipeline.ts'
import { definitionError } from './definition-error.ts'
import type { ValueShape } from './function-options.ts'
import { findLevels } from './levels.ts'
import type { Pipeline, StagesOf } from './pipeline.ts'
import { parseReference, requestNode } from './reference.ts'
import { type FunctionStage, isFunctionStage, type Stage } from './stage.ts'
import { sealStage } from './stage-options.ts'

const longestName = 128

/**
 * A pipeline of one stage of another, to run or serve it by itself: what the stage takes is what a request holds. Its
 * inputs have the names that its model or function gives them; its outputs are all that a function declares, and of an
 * ONNX model, whose file is not looked at, those that the pipeline uses. A character that the name of a request's input or
 * of an output may not have becomes `_`. Condition and gathering are left out, since they ask other stages; an input
 * that gathered items has a dimension for them. The objective is the whole pipeline's, and left out too.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE where there is no such stage, or where it is a function with an input
 * whose type and shape only the model before it knows.
 */
export function stagePipeline<P extends Pipeline, Name extends StagesOf<P>>(
  pipeline: P,
  stage: Name,
): Pipeline<string, string, Name> {
  checkPipeline(pipeline)
  const found = findStage(pipeline, stage)
  const where = `stagePipeline(), stage "${stage}" of pipeline "${pipeline.name}"`
  const inputs = nameAll(Object.keys(found.inputs), `${where}, inputs`)
  const outputs = nameAll(outputsOf(pipeline, { name: stage, stage: found }), `${where}, outputs`)
  if (outputs.length === 0) throw definitionError(where, 'nothing reads its outputs; add it whole')
  const alone = {
    ...found,
    ...(isFunctionStage(found) ? { inputShapes: shapesOf(pipeline, found, where) } : {}),
    inputs: frozen(inputs.map(([own, name]) => [own, Object.freeze([`${requestNode}.${name}`])])),
    when: undefined,
    gather: undefined,
  }
  return definePipeline({
    name: `${pipeline.name}-${stage}`.slice(0, longestName),
    stages: { [stage]: sealStage(alone) },
    outputs: Object.fromEntries(outputs.map(([own, name]) => [name, `${stage}.${own}`])),
  } as never) as unknown as Pipeline<string, string, Name>
}

function findStage(pipeline: Pipeline, name: string): Stage {
  // Without those that decide a condition, which the user has not named.
  const names = Object.keys(pipeline.stages).filter((one) => !one.includes(':'))
  if (names.includes(name)) return pipeline.stages[name] as Stage
  const problem = `there is no stage ${JSON.stringify(name)}`
  throw definitionError(
    `stagePipeline(), pipeline "${pipeline.name}"`,
    `${problem}; ${suggest(String(name), names)}`,
  )
}

function outputsOf(pipeline: Pipeline, { name, stage }: { name: string; stage: Stage }) {
  if (isFunctionStage(stage)) return Object.keys(stage.outputs)
  const stages = Object.values(pipeline.stages)
  const references = [
    ...Object.values(pipeline.outputs).flatMap(({ candidates }) => candidates),
    ...stages.flatMap(({ inputs, when }) => [
      ...Object.values(inputs).flat(),
      ...(when === undefined ? [] : [when.output]),
    ]),
  ].map(parseReference)
  return [...new Set(references.filter(({ node }) => node === name).map(({ value }) => value))]
}

/** Each name beside the one that a request may use for it. */
function nameAll(names: readonly string[], where: string): readonly (readonly [string, string])[] {
  const given = names.map((name) => [name, allowed(name)] as const)
  const twice = given.find(([, name], at) => given.findIndex(([, other]) => other === name) !== at)
  if (twice === undefined) return given
  throw definitionError(where, `two of them would be called "${twice[1]}"; rename one in the model`)
}

function allowed(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, longestName)
  return plain === '__proto__' || plain === '' ? '_' : plain
}

/** What the function declares, and where it does not what those declare that feed it or are fed the same. */
function shapesOf(pipeline: Pipeline, stage: FunctionStage, where: string) {
  const stages = new Map(Object.entries<Stage>(pipeline.stages))
  const levels = findLevels({ where, stages, order: pipeline.order })
  const shapes = Object.entries(stage.inputs).map(([input, candidates]) => {
    const declared = stage.inputShapes[input]
    if (declared !== undefined) return [input, declared] as const
    const found = candidates.map((text) => declaredShape(pipeline, text)).find(Boolean)
    if (found === undefined) {
      const problem = `nothing but a model says what input "${input}" is, and models are not looked at`
      throw definitionError(
        where,
        `${problem}; write { from, type, dims } with the dims of one row in its inputs`,
      )
    }
    if (!levels.isGathered(stage, candidates)) return [input, found] as const
    return [input, Object.freeze({ type: found.type, dims: [-1, ...found.dims] })] as const
  })
  return frozen(shapes)
}

function declaredShape(pipeline: Pipeline, text: string): ValueShape | undefined {
  const { node, value } = parseReference(text)
  const functions = Object.values<Stage>(pipeline.stages).filter(isFunctionStage)
  if (node === requestNode) {
    const takers = functions.flatMap(({ inputs, inputShapes }) => {
      return Object.keys(inputs).map((input) => inputs[input]?.includes(text) && inputShapes[input])
    })
    return takers.find((shape) => typeof shape === 'object')
  }
  const stage = pipeline.stages[node] as Stage
  const shape = isFunctionStage(stage) ? stage.outputs[value] : undefined
  if (shape === undefined || !stage.fanOut) return shape
  return { type: shape.type, dims: shape.dims.slice(1) }
}

function frozen<Value>(entries: readonly (readonly [string, Value])[]) {
  return Object.freeze(Object.fromEntries(entries))
}
