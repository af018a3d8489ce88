import { checkInteger, checkObject, checkRecord, describe, suggest } from '../check.ts'
import { definitionError } from './definition-error.ts'

/** What fills: a number, bigint or boolean, as the type of the input asks. */
export type PadValue = number | bigint | boolean

/** For each input to be filled, the value, or with the sizes that are batched together. */
export type PadOptions = Readonly<
  Record<
    string,
    | PadValue
    | {
        /** What fills the shorter rows. */
        readonly value: PadValue
        /**
         * Sizes of an open dimension, at most 64, each at least 1, ascending; rows of sizes between two of them share a
         * batch. Default: a grid.
         */
        readonly buckets?: readonly number[] | undefined
      }
  >
>

/** How the rows of an input are made to share a batch. */
export interface InputPad {
  /** What fills the shorter rows. */
  readonly value: PadValue
  /** Sizes, ascending, that are batched together; empty: a grid of the core's own. */
  readonly buckets: readonly number[]
}

const code = 'MILLRACE_INVALID_PIPELINE'
const largestSize = 2 ** 31 - 1
const mostBuckets = 64

/** The inputs to be filled, with how; all of them must be among those that are fed. */
export function checkPad(
  value: unknown,
  { inputs, where }: { inputs: Readonly<Record<string, unknown>>; where: string },
): Readonly<Record<string, InputPad>> {
  if (value === undefined) return Object.freeze({})
  const given = Object.entries(checkRecord(value, { name: where, code }))
  const names = Object.keys(inputs)
  const unknown = given.find(([name]) => !names.includes(name))
  if (unknown !== undefined) {
    throw definitionError(
      where,
      `nothing feeds an input "${unknown[0]}"; ${suggest(unknown[0], names)}`,
    )
  }
  const pads = given.map(
    ([name, pad]) => [name, checkInputPad(pad, `${where}, "${name}"`)] as const,
  )
  return Object.freeze(Object.fromEntries(pads))
}

function checkInputPad(pad: unknown, where: string): InputPad {
  if (isPadValue(pad)) return Object.freeze({ value: pad, buckets: Object.freeze([]) })
  const fix = 'give a number, bigint or boolean, or { value, buckets }'
  const given = checkObject(pad, { name: where, keys: ['value', 'buckets'], fix, code })
  const { value, buckets = [] } = given
  if (!isPadValue(value)) {
    const expected = 'expected a number, bigint or boolean'
    throw definitionError(`${where}, value`, `${expected}, got ${describe(value)}; say what fills`)
  }
  return Object.freeze({ value, buckets: checkBuckets(buckets, `${where}, buckets`) })
}

function isPadValue(value: unknown): value is PadValue {
  return ['number', 'bigint', 'boolean'].includes(typeof value)
}

function checkBuckets(value: unknown, where: string): readonly number[] {
  if (!Array.isArray(value) || value.length > mostBuckets) {
    const expected = `a list of at most ${mostBuckets} sizes`
    throw definitionError(where, `expected ${expected}, got ${describe(value)}; give such a list`)
  }
  const sizes = Array.from(value, (size: unknown, index) => {
    return checkInteger(size, { name: `${where}[${index}]`, min: 1, max: largestSize, code })
  })
  const odd = sizes.find((size, index) => size <= (sizes[index - 1] ?? 0))
  if (odd === undefined) return Object.freeze(sizes)
  throw definitionError(where, `expected ascending sizes, got ${odd} out of order; sort them`)
}
