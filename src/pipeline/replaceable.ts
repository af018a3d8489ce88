import type { BoundPipeline, BoundStage, Source } from './bound-pipeline.ts'
import { definitionError } from './definition-error.ts'
import { describeShape, type ModelSignature, type TensorSpec } from './tensor-spec.ts'

/**
 * Checks that another model can take the place of the one that a stage was bound to: it takes all that the old one took,
 * and gives all that somebody reads, in the same places. Pure.
 *
 * @throws {MillraceError} MILLRACE_INVALID_PIPELINE naming the input or output, what was expected and what was found.
 */
export function checkReplaceable(
  pipeline: BoundPipeline,
  given: { readonly stage: number; readonly model: ModelSignature; readonly where: string },
): void {
  const { model, where } = given
  const stage = pipeline.stages[given.stage] as BoundStage // found by its name
  if (model.inputs.length !== stage.inputSpecs.length) {
    const [old, found] = [namesOf(stage.inputSpecs), namesOf(model.inputs)]
    throw definitionError(where, `expected a model with inputs ${old}, found ${found}`)
  }
  const batch = stage.batched ? 1 : 0
  stage.inputSpecs.forEach((old, at) => {
    const check = { old, found: model.inputs[at], where, kind: 'input' }
    checkSame(check, (was, is, axis) => was === is || (is === -1 && axis >= batch))
  })
  for (const at of outputsRead(pipeline, given.stage)) {
    const check = { old: stage.outputs[at] as TensorSpec, found: model.outputs[at], where }
    checkSame({ ...check, kind: 'output' }, (was, is, axis) => {
      return was === is || (was === -1 && axis >= batch)
    })
  }
}

/** The model takes and gives the same kind of values; a size fits where `fits` says so. */
function checkSame(
  check: { old: TensorSpec; found: TensorSpec | undefined; where: string; kind: string },
  fits: (was: number, is: number, axis: number) => boolean,
): void {
  const { old, found } = check
  const same =
    found !== undefined &&
    found.name === old.name &&
    found.type === old.type &&
    found.dims.length === old.dims.length &&
    found.dims.every((is, axis) => fits(old.dims[axis] ?? 0, is, axis))
  if (same) return
  const expected = `expected ${check.kind} "${old.name}", ${describeShape(old)}`
  const is = found === undefined ? 'none' : `"${found.name}", ${describeShape(found)}`
  throw definitionError(
    check.where,
    `${expected} as the model it replaces has, found ${is}; export it alike, or start another engine`,
  )
}

/** Indices of the outputs of a stage that other stages, conditions or the pipeline's outputs use. */
function outputsRead(pipeline: BoundPipeline, stage: number): readonly number[] {
  const read: Source[] = pipeline.outputs.flatMap(({ sources }) => sources)
  const indices = new Set<number>()
  for (const { inputs, condition } of pipeline.stages) {
    read.push(...inputs.flat())
    if (condition?.source.stage === stage) indices.add(condition.source.output)
  }
  for (const source of read) {
    if (source.kind === 'stage' && source.stage === stage) indices.add(source.output)
  }
  return [...indices]
}

function namesOf(specs: readonly TensorSpec[]): string {
  return specs.map(({ name }) => `"${name}"`).join(', ')
}
