import type { Binding, Value } from './binding.ts'
import { definitionError } from './definition-error.ts'
import { agree } from './shape.ts'
import { describeShape } from './tensor-spec.ts'

/**
 * Checks that candidates can stand for each other: one type, and rows of one shape as far as the
 * models fix it.
 */
export function checkSameKind(
  values: readonly Value[],
  { where, binding }: { where: string; binding: Binding },
): void {
  values.forEach((value, index) => {
    const odd = values.slice(0, index).find(({ spec }) => {
      return spec.type !== value.spec.type || !agree(spec.dims, value.spec.dims)
    })
    if (odd === undefined) return
    const found = [odd, value].map(({ text, spec }) => `'${text}' is ${describeShape(spec)}`)
    const problem = `candidates differ: ${found.join(', ')}`
    throw definitionError(
      where,
      `${problem}${binding.rowNote}; list only values of one type and shape`,
    )
  })
}
