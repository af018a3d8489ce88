import { type Binding, findValue } from './binding.ts'
import type { BoundOutput, BoundValue } from './bound-pipeline.ts'
import { checkSameKind } from './candidates.ts'
import { definitionError } from './definition-error.ts'
import { toElement } from './element.ts'
import type { DefaultValue, PipelineOutput } from './pipeline.ts'
import { elementCount, widen } from './shape.ts'
import { describeShape } from './tensor-spec.ts'

/** An output of the pipeline as the core gathers it, given the inputs of the request. */
export function bindOutput(
  name: string,
  output: PipelineOutput,
  { binding, inputs }: { binding: Binding; inputs: readonly BoundValue[] },
): BoundOutput {
  const where = `${binding.where}, output "${name}"`
  const values = output.candidates.map((text) => findValue(text, { binding, inputs, where }))
  checkSameKind(values, { where, binding })
  const [first, ...others] = values.map(({ spec }) => spec)
  if (first === undefined) throw definitionError(where, 'expected a reference, got none')
  const dims = others.reduce((widest, { dims }) => widen(widest, dims), first.dims)
  const bound = {
    name,
    type: first.type,
    dims,
    sources: values.map(({ source }) => source),
    perItem: output.candidates.some((text) => binding.levels.ofValue(text).length > 0),
  }
  if (output.default === undefined) return { ...bound, fill: undefined }
  return { ...bound, fill: bindFill(output.default, bound, binding) }
}

function bindFill(value: DefaultValue, output: BoundValue, binding: Binding): DefaultValue {
  const where = `${binding.where}, output "${output.name}", default`
  const { dims } = output
  if (elementCount(binding.batched ? dims.slice(1) : dims) === undefined) {
    const problem = `rows to fill need a fixed shape, but the output is ${describeShape(output)}`
    throw definitionError(
      where,
      `${problem}; fix it in the models, or add a candidate that always runs`,
    )
  }
  const converted = toElement(value, output.type)
  if ('element' in converted) return converted.element
  throw definitionError(where, `${converted.problem}; the output is ${output.type}`)
}
