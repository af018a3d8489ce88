import { describe } from '../../check.ts'
import type { Tensor, TensorData, TensorType } from '../../pipeline/tensor.ts'
import { describeTensor } from './datatypes.ts'
import type { TensorFace } from './model-face.ts'
import { badRequest } from './protocol-error.ts'

/** The elements of a list from one place to another, to be written from `at` on. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly at: number
}

/** Writes elements until one does not fit; returns its place in the list, or -1. */
type Fill = (target: unknown, list: readonly unknown[], stretch: Stretch) => number

/**
 * Puts the `data` of JSON, flat or nested as the shape is, into the memory of a tensor, in steps: large ones are not to
 * hold up the event loop.
 */
export class TensorFill {
  readonly tensor: Tensor
  readonly #input: TensorFace
  readonly #lists: readonly (readonly unknown[])[]
  readonly #fill: Fill
  #list = 0
  #from = 0
  #filled = 0

  /** @throws {ProtocolError} 400 where there are more or fewer elements than the shape has, or nested otherwise */
  constructor(input: TensorFace, { shape, data }: { shape: readonly number[]; data: unknown }) {
    const count = shape.reduce((product, size) => product * size, 1)
    this.#input = input
    this.#lists = listsOf(data, { shape, count, input })
    this.#fill = fills[input.type]
    const { array: ArrayOfType } = input.format
    const elements = ArrayOfType === undefined ? new Array<string>(count) : new ArrayOfType(count)
    this.tensor = { type: input.type, dims: shape, data: elements as TensorData } as Tensor
  }

  /** Goes on for about so many elements; true when all are there. @throws {ProtocolError} 400 */
  step(most: number): boolean {
    for (let left = most; left > 0 && this.#list < this.#lists.length; ) {
      const list = this.#lists[this.#list] as readonly unknown[]
      const to = Math.min(list.length, this.#from + left)
      const at = this.#filled - this.#from
      const odd = this.#fill(this.tensor.data, list, { from: this.#from, to, at })
      if (odd >= 0) throw misfit(this.#input, list[odd], at + odd)
      this.#filled += to - this.#from
      // A list without elements takes a turn, too.
      left -= Math.max(1, to - this.#from)
      this.#from = to
      if (to < list.length) continue
      this.#list++
      this.#from = 0
    }
    return this.#list === this.#lists.length
  }
}

interface Wanted {
  readonly input: TensorFace
  readonly shape: readonly number[]
  readonly count: number
}

/** The innermost lists, in order. */
function listsOf(data: unknown, wanted: Wanted): readonly (readonly unknown[])[] {
  if (!Array.isArray(data)) throw wrongData(wanted, describe(data))
  if (!Array.isArray(data[0])) {
    if (data.length === wanted.count) return [data]
    throw wrongData(wanted, `${data.length} elements`)
  }
  let lists: readonly unknown[] = [data]
  for (const size of wanted.shape.slice(0, -1))
    lists = lists.flatMap((list) => parts(list, size, wanted))
  const last = wanted.shape.at(-1) ?? 1
  for (const list of lists) parts(list, last, wanted)
  return lists as readonly (readonly unknown[])[]
}

function parts(list: unknown, size: number, wanted: Wanted): readonly unknown[] {
  if (Array.isArray(list) && list.length === size) return list
  const found = Array.isArray(list) ? `a list of ${list.length}` : describe(list)
  throw wrongData(wanted, `${found} where it has ${size}`)
}

function wrongData({ input, shape, count }: Wanted, found: string): Error {
  const expected = `data as a list of ${count} elements, flat or nested as the shape, for ${describeTensor(input.datatype, shape)}`
  return badRequest(`input "${input.name}": expected ${expected}, got ${found}`)
}

function misfit(input: TensorFace, value: unknown, at: number): Error {
  const expected = expectations[input.type]
  return badRequest(
    `input "${input.name}", element ${at}: expected ${expected}, got ${describe(value)}`,
  )
}

const floatText = 'a number, or "NaN", "Infinity" or "-Infinity"'
const mostFloat32 = 3.4028235677973366e38
const nonFinite: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

function fillFloats(most: number): Fill {
  return (target, list, { from, to, at }) => {
    const elements = target as Float64Array
    for (let place = from; place < to; place++) {
      const value = list[place]
      if (typeof value === 'number' && value < most && value > -most) elements[at + place] = value
      else {
        const other = otherFloat(value, most)
        if (other === undefined) return place
        elements[at + place] = other
      }
    }
    return -1
  }
}

function otherFloat(value: unknown, most: number): number | undefined {
  if (typeof value === 'string') return nonFinite.get(value)
  if (typeof value === 'bigint') return otherFloat(Number(value), most)
  if (typeof value !== 'number') return undefined
  return Number.isFinite(value) && Math.abs(value) >= most && most === mostFloat32
    ? undefined
    : value
}

function fillIntegers(min: number, max: number): Fill {
  return (target, list, { from, to, at }) => {
    const elements = target as Int32Array
    for (let place = from; place < to; place++) {
      const value = list[place]
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
        return place
      elements[at + place] = value as number
    }
    return -1
  }
}

const digits = /^-?\d{1,20}$/

/** Also from strings of digits: many languages cannot write such integers in JSON otherwise. */
function fillWideIntegers(min: bigint, max: bigint): Fill {
  return (target, list, { from, to, at }) => {
    const elements = target as BigInt64Array
    for (let place = from; place < to; place++) {
      const value = toBigInt(list[place])
      if (value === undefined || value < min || value > max) return place
      elements[at + place] = value
    }
    return -1
  }
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (Number.isInteger(value)) return BigInt(value as number)
  return typeof value === 'string' && digits.test(value) ? BigInt(value) : undefined
}

const fillBooleans: Fill = (target, list, { from, to, at }) => {
  const elements = target as Uint8Array
  for (let place = from; place < to; place++) {
    const value = list[place]
    if (value !== true && value !== false && value !== 0 && value !== 1) return place
    elements[at + place] = value ? 1 : 0
  }
  return -1
}

const fillStrings: Fill = (target, list, { from, to, at }) => {
  const elements = target as string[]
  for (let place = from; place < to; place++) {
    const value = list[place]
    if (typeof value !== 'string') return place
    elements[at + place] = value
  }
  return -1
}

const fills: Readonly<Record<TensorType, Fill>> = {
  float32: fillFloats(mostFloat32),
  float64: fillFloats(Number.POSITIVE_INFINITY),
  float16: () => 0, // has no JSON form; refused before it comes here
  int8: fillIntegers(-(2 ** 7), 2 ** 7 - 1),
  int16: fillIntegers(-(2 ** 15), 2 ** 15 - 1),
  int32: fillIntegers(-(2 ** 31), 2 ** 31 - 1),
  uint8: fillIntegers(0, 2 ** 8 - 1),
  uint16: fillIntegers(0, 2 ** 16 - 1),
  uint32: fillIntegers(0, 2 ** 32 - 1),
  int64: fillWideIntegers(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: fillWideIntegers(0n, 2n ** 64n - 1n),
  bool: fillBooleans,
  string: fillStrings,
}

const wideText = 'or its digits as a string'
const expectations: Readonly<Record<TensorType, string>> = {
  float32: `${floatText} that FP32 can hold`,
  float64: floatText,
  float16: 'binary data',
  int8: 'an integer from -128 to 127',
  int16: 'an integer from -32768 to 32767',
  int32: 'an integer from -2147483648 to 2147483647',
  uint8: 'an integer from 0 to 255',
  uint16: 'an integer from 0 to 65535',
  uint32: 'an integer from 0 to 4294967295',
  int64: `an integer from -2^63 to 2^63-1, ${wideText}`,
  uint64: `an integer from 0 to 2^64-1, ${wideText}`,
  bool: 'true or false, or 1 or 0',
  string: 'a string',
}
