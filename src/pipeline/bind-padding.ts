import { suggest } from '../check.ts'
import type { Binding, StageView } from './binding.ts'
import type { BoundStage, Padding, Trim } from './bound-pipeline.ts'
import { definitionError } from './definition-error.ts'
import { toElement } from './element.ts'
import type { InputPad } from './pad.ts'
import { describeShape, type TensorSpec } from './tensor-spec.ts'

type Filling = Pick<BoundStage, 'padding' | 'trims'>

/** How rows of different sizes are made to share a batch, and how their outputs get back the size they have alone. */
export function bindPadding(stage: StageView, binding: Binding): Filling {
  const { definition, signature } = stage
  const pads = definition.kind === 'onnx' ? Object.entries(definition.pad) : []
  if (pads.length === 0) return { padding: [], trims: [] }
  if (!stage.batched) {
    const problem = 'pad makes rows share a batch, but this model has no dimension that counts rows'
    throw definitionError(stage.where, `${problem}; remove pad, or leave the first dimension open`)
  }
  const padding = signature.inputs.map((spec) => {
    const pad = pads.find(([name]) => name === spec.name)?.[1]
    return pad === undefined ? undefined : bindPad(pad, spec, stage)
  })
  checkKnown(pads, stage)
  const trims = signature.outputs.map((spec) => bindTrims(spec, { stage, padding, binding }))
  return { padding, trims }
}

function checkKnown(pads: readonly (readonly [string, InputPad])[], stage: StageView): void {
  const names = stage.signature.inputs.map(({ name }) => name)
  const unknown = pads.find(([name]) => !names.includes(name))
  if (unknown === undefined) return
  const problem = `pad: the model has no input "${unknown[0]}"`
  throw definitionError(stage.where, `${problem}; ${suggest(unknown[0], names)}`)
}

function bindPad(pad: InputPad, spec: TensorSpec, stage: StageView): Padding {
  const where = `${stage.where}, pad, "${spec.name}"`
  if (spec.type === 'string') {
    throw definitionError(where, 'the input is of strings, which cannot be filled; remove it')
  }
  if (!spec.dims.slice(1).includes(-1)) {
    const problem = `the input, ${describeShape(spec)}, has no open dimension besides the one that counts rows`
    throw definitionError(where, `${problem}; remove it, all its rows have one size`)
  }
  const converted = toElement(pad.value, spec.type)
  if ('problem' in converted) {
    throw definitionError(`${where}, value`, `${converted.problem}; the input is ${spec.type}`)
  }
  return { value: converted.element as Padding['value'], buckets: pad.buckets }
}

interface Found {
  readonly stage: StageView
  readonly padding: readonly (Padding | undefined)[]
  readonly binding: Binding
}

function bindTrims(output: TensorSpec, found: Found): readonly (Trim | undefined)[] {
  const isRead = found.binding.isRead(`${found.stage.name}.${output.name}`)
  return rowDims(output).map(({ size, symbol }, dim) => {
    if (size !== -1 || !isRead) return undefined
    const trim = findTrim(symbol, found)
    if (trim !== undefined || isShared(symbol, found)) return trim
    throw untrimmable(output, dim, found.stage)
  })
}

/** The filled dimension of that name. */
function findTrim(symbol: string, { stage, padding }: Found): Trim | undefined {
  if (symbol === '') return undefined
  for (const [input, spec] of stage.signature.inputs.entries()) {
    if (padding[input] === undefined) continue
    const dim = rowDims(spec).findIndex((other) => other.size === -1 && other.symbol === symbol)
    if (dim >= 0) return { input, dim }
  }
  return undefined
}

// The open dimensions of inputs that are not filled are equal for all rows of a batch.
function isShared(symbol: string, { stage }: Found): boolean {
  if (symbol === '') return false
  return stage.signature.inputs.some((spec) => {
    return rowDims(spec).some((other) => other.size === -1 && other.symbol === symbol)
  })
}

function rowDims({ dims, symbols }: TensorSpec): readonly { size: number; symbol: string }[] {
  return dims.slice(1).map((size, dim) => ({ size, symbol: symbols[dim + 1] ?? '' }))
}

function untrimmable(output: TensorSpec, dim: number, stage: StageView): Error {
  const problem =
    `output "${output.name}" is ${describeShape(output)}: with pad, dimension ${dim + 1} could be that of a filled row, ` +
    'and nothing says what size to cut it back to'
  const remedy =
    'give it the name of a filled dimension in the model, make its size fixed, or remove pad'
  return definitionError(stage.where, `${problem}; ${remedy}`)
}
