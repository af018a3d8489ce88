// One element of a tensor as a JavaScript value: bigint for the 64-bit integers, boolean for bool,
// string, else number.
import { describe } from '../check.ts'
import type { DefaultValue } from './pipeline.ts'
import { elementFormats, type Tensor, type TensorType } from './tensor.ts'

/** The element, or what was expected instead. */
export type Conversion = { readonly element: DefaultValue } | { readonly problem: string }

const largestHalf = 65504

/**
 * The value as an element of the type: floats rounded, integers exact, anything of another kind
 * refused.
 */
export function toElement(value: DefaultValue, type: TensorType): Conversion {
  switch (elementFormats[type].kind) {
    case 'string':
      return typeof value === 'string' ? { element: value } : refused('a string', value)
    case 'bool':
      return typeof value === 'boolean' ? { element: value } : refused('a boolean', value)
    case 'integer':
      return toInteger(value, type)
    case 'float':
      return toFloat(value, type)
  }
}

/** The nearest number that the type can hold; only floats of less than 64 bits differ. */
export function roundTo(type: TensorType, value: number): number {
  if (type === 'float32') return Math.fround(value)
  return type === 'float16' ? roundToHalf(value) : value
}

/**
 * The bytes of one element, little-endian as every platform we run on; the element must be of the
 * type, not a string.
 */
export function encodeElement(element: DefaultValue, type: TensorType): Uint8Array {
  const number = Number(element)
  if (type === 'float16') return bytesOf(Uint16Array.of(halfBits(number)))
  if (type === 'int64') return bytesOf(BigInt64Array.of(BigInt(element)))
  if (type === 'uint64') return bytesOf(BigUint64Array.of(BigInt(element)))
  if (type === 'float32') return bytesOf(Float32Array.of(number))
  if (type === 'float64') return bytesOf(Float64Array.of(number))
  // The low bytes of two's complement are the same for every width.
  return bytesOf(Int32Array.of(number)).slice(0, elementFormats[type].bytes)
}

/** One element of a tensor; its index must be within the data. */
export function elementAt({ type, data }: Tensor, index: number): DefaultValue {
  const element = data[index] as number | bigint | string
  if (type === 'bool') return element !== 0
  return type === 'float16' ? halfValue(element as number) : element
}

function toInteger(value: DefaultValue, type: TensorType): Conversion {
  const bits = BigInt(elementFormats[type].bytes * 8)
  const [min, max] = type.startsWith('u')
    ? [0n, 2n ** bits - 1n]
    : [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
  const whole = typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : undefined
  if (whole === undefined || whole < min || whole > max) {
    return refused(`an integer from ${min} to ${max}`, value)
  }
  return { element: bits === 64n ? whole : Number(whole) }
}

function toFloat(value: DefaultValue, type: TensorType): Conversion {
  if (typeof value !== 'number') return refused('a number', value)
  const element = roundTo(type, value)
  if (Number.isFinite(value) && !Number.isFinite(element)) {
    return refused(`a number within the range of ${type}`, value)
  }
  return { element }
}

function refused(expected: string, value: DefaultValue): Conversion {
  return { problem: `expected ${expected}, got ${describe(value)}` }
}

// To the nearest, ties to even, as IEEE 754 asks. Halves have 10 bits of fraction and no exponent
// below -14.
function roundToHalf(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14)
  const step = 2 ** (exponent - 10)
  const steps = value / step
  const lower = Math.floor(steps)
  const up = steps - lower > 0.5 || (steps - lower === 0.5 && lower % 2 !== 0)
  const rounded = (up ? lower + 1 : lower) * step
  return Math.abs(rounded) > largestHalf ? Math.sign(rounded) * Number.POSITIVE_INFINITY : rounded
}

function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(roundToHalf(value))
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00
  if (size < 2 ** -14) return sign | (size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024)
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
