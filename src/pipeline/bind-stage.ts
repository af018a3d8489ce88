import { suggest } from '../check.ts'
import { bindCondition } from './bind-condition.ts'
import { bindPadding } from './bind-padding.ts'
import { type Binding, findValue, type StageView, type Value } from './binding.ts'
import type { BoundStage, BoundValue, Source } from './bound-pipeline.ts'
import { checkSameKind } from './candidates.ts'
import { checkSupported, runnerOf } from './declared-value.ts'
import { definitionError } from './definition-error.ts'
import { agree } from './shape.ts'
import { describeShape, type TensorSpec } from './tensor-spec.ts'

/** Checks that a stage feeds exactly the inputs that its model has. */
export function checkFed(stage: StageView): void {
  const names = stage.inputs.map(({ name }) => name)
  const fed = Object.keys(stage.definition.inputs)
  const unknown = fed.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw definitionError(
      stage.where,
      `the model has no input "${unknown}"; ${suggest(unknown, names)}`,
    )
  }
  for (const spec of stage.inputs) {
    checkSupported(spec, `${stage.where}, input "${spec.name}"`)
    if (fed.includes(spec.name)) continue
    const problem = `nothing feeds the model input "${spec.name}", ${describeShape(spec)}`
    throw definitionError(stage.where, `${problem}; add it to inputs`)
  }
}

/** The stage as the core runs it, given the inputs of the request. */
export function bindStage(
  stage: StageView,
  { binding, inputs }: { binding: Binding; inputs: readonly BoundValue[] },
): BoundStage {
  const bindInput = (spec: TensorSpec): readonly Source[] => {
    const where = `${stage.where}, input "${spec.name}"`
    const texts = stage.definition.inputs[spec.name] ?? []
    const values = texts.map((text) => findValue(text, { binding, inputs, where }))
    for (const value of values) checkFits(value, { spec, where, binding, stage })
    checkSameKind(values, { where, binding })
    return values.map(({ source }) => source)
  }
  const { fanOut, gather, cache, isolate } = stage.definition
  const names = binding.stages.map(({ name }) => name)
  return {
    name: stage.name,
    batched: stage.batched,
    inputs: stage.inputs.map(bindInput),
    inputSpecs: stage.signature.inputs,
    outputs: stage.signature.outputs,
    condition: bindCondition(stage, binding),
    fanOut,
    gather: gather === undefined ? undefined : names.indexOf(gather),
    ...bindPadding(stage, binding),
    cache,
    isolate,
  }
}

function checkFits(
  value: Value,
  fit: { spec: TensorSpec; where: string; binding: Binding; stage: StageView },
): void {
  const { spec, where, binding, stage } = fit
  const sameType = value.spec.type === spec.type
  if (sameType && agree(value.spec.dims, spec.dims)) return
  const what = sameType ? 'shapes' : 'types'
  const found = `'${value.text}' is ${describeShape(value.spec)}`
  const problem = `${what} differ: ${runnerOf(stage.definition)} takes ${describeShape(spec)}, ${found}`
  throw definitionError(
    where,
    `${problem}${sameType ? binding.rowNote : ''}; feed it another value or change one of them`,
  )
}
