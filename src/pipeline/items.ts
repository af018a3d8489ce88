// Values of items. The tensors of a fan-out stage count rows first and items second, [rows, items, ...]; those who read
// its outputs see the items in the place of rows, [items, ...]. A gathered input is the same thing the other way round.
import { definitionError } from './definition-error.ts'
import { describeShape, type TensorSpec } from './tensor-spec.ts'

/** A value of all rows, as those see it that run once for each item. */
export function itemView(spec: TensorSpec): TensorSpec {
  return {
    ...spec,
    dims: [-1, ...spec.dims.slice(2)],
    symbols: ['items', ...spec.symbols.slice(2)],
  }
}

/** Checks that each output of a fan-out stage counts items, and that they can agree on how many. */
export function checkFanOut(outputs: readonly TensorSpec[], where: string): void {
  const flat = outputs.find(({ dims }) => dims.length < 2)
  if (flat !== undefined) {
    const problem = `with fanOut the first dimension of each row counts items, but a row of output "${flat.name}", ${describeShape(flat)}, has no dimension`
    throw definitionError(where, `${problem}; give it one`)
  }
  const fixed = outputs.filter(({ dims }) => dims[1] !== -1)
  const odd = fixed.find(({ dims }) => dims[1] !== fixed[0]?.dims[1])
  if (odd === undefined) return
  const found = [fixed[0], odd].map((spec) => `"${spec?.name}" has ${spec?.dims[1]}`)
  throw definitionError(
    where,
    `with fanOut all outputs have as many items, but of each row ${found.join(', ')}; make them equal`,
  )
}

/** Checks that an input can take all items of a row, however many they are. */
export function checkGathered(spec: TensorSpec, where: string): void {
  if (spec.dims.length >= 2 && spec.dims[1] === -1) return
  const problem = `it gathers items, [rows, items, ...] with any number of items, but is ${describeShape(spec)}`
  throw definitionError(where, `${problem}; leave its second dimension open`)
}
