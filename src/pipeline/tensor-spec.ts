import type { TensorType } from './tensor.ts'

/** An input or output as a model declares it. */
export interface TensorSpec {
  readonly name: string
  readonly type: TensorType
  /** -1 where the model leaves a dimension open. */
  readonly dims: readonly number[]
  /** Name of each dimension, '' where the model gives none. */
  readonly symbols: readonly string[]
}

/** What a model takes and gives, in its own order. */
export interface ModelSignature {
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

/** Whether the first dimension of every tensor of the model is open, so that it can count rows. */
export function isBatched(model: ModelSignature): boolean {
  return [...model.inputs, ...model.outputs].every((spec) => spec.dims[0] === -1)
}

/** For messages: `float32[batch, 1, 28, 28]`, with `?` for an open dimension without a name. */
export function describeShape(
  value: Pick<TensorSpec, 'type' | 'dims'> & Partial<TensorSpec>,
): string {
  const dims = value.dims.map((dim, axis) => (dim === -1 ? value.symbols?.[axis] || '?' : dim))
  return `${value.type}[${dims.join(', ')}]`
}
