import type { Binding, StageView } from './binding.ts'
import type { BoundValue } from './bound-pipeline.ts'
import { definitionError } from './definition-error.ts'
import { agree, narrow } from './shape.ts'
import { describeShape, type TensorSpec } from './tensor-spec.ts'

interface Consumer {
  readonly stage: StageView
  readonly spec: TensorSpec
}

/**
 * The inputs of a request: each has the type and the shape that all the model inputs it feeds can
 * take.
 */
export function bindRequestInputs(binding: Binding): readonly BoundValue[] {
  return binding.pipeline.requestInputs.map((name) => {
    const [first, ...others] = consumersOf(`request.${name}`, binding)
    if (first === undefined)
      throw definitionError(binding.where, `'request.${name}' feeds no stage`)
    let dims = first.spec.dims
    for (const other of others) {
      if (first.spec.type !== other.spec.type || !agree(dims, other.spec.dims)) {
        throw conflict({ name, first, other, binding })
      }
      dims = narrow(dims, other.spec.dims)
    }
    return { name, type: first.spec.type, dims }
  })
}

function consumersOf(text: string, binding: Binding): readonly Consumer[] {
  return binding.stages.flatMap((stage) => {
    return stage.inputs
      .filter((spec) => stage.definition.inputs[spec.name]?.includes(text))
      .map((spec) => ({ stage, spec }))
  })
}

function conflict(found: {
  name: string
  first: Consumer
  other: Consumer
  binding: Binding
}): Error {
  const { name, first, other, binding } = found
  const [one, two] = [first, other].map(({ stage, spec }) => {
    return `input "${spec.name}" of stage "${stage.name}", ${describeShape(spec)}`
  })
  const problem = `it feeds ${one}, and ${two}, which no tensor fits${binding.rowNote}`
  return definitionError(`${binding.where}, 'request.${name}'`, `${problem}; give each its own`)
}
