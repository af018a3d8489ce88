import { describe, expect, it } from 'vitest'
import { elementAt, encodeElement, roundTo, toElement } from '../../src/pipeline/element.ts'
import {
  elementFormats,
  isTensorType,
  type Tensor,
  type TensorType,
} from '../../src/pipeline/tensor.ts'

const { POSITIVE_INFINITY: infinity, NaN: nan } = Number

describe('element types', () => {
  it('are those of onnxruntime-common that the core knows', () => {
    const names = 'float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32'
    expect(Object.keys(elementFormats)).toEqual([...names.split(' '), 'uint64'])
  })

  it('have arrays of their size', () => {
    for (const { array, bytes } of Object.values(elementFormats)) {
      expect(array?.BYTES_PER_ELEMENT ?? 0).toBe(bytes)
    }
  })

  it.each(['uint4', 'float', '', undefined, 1, 'constructor', 'unsupported'])(
    'are not %s',
    (name) => {
      expect(isTensorType(name)).toBe(false)
    },
  )
})

describe('an element', () => {
  it.each<[TensorType, number | bigint | string | boolean, unknown]>([
    ['float32', 0.1, Math.fround(0.1)],
    ['float32', nan, nan],
    ['float32', infinity, infinity],
    ['float64', 0.1, 0.1],
    ['float16', 0.1, 0.0999755859375],
    ['int8', -128, -128],
    ['uint8', 255, 255],
    ['int32', 7n, 7],
    ['uint32', 2 ** 32 - 1, 2 ** 32 - 1],
    ['int64', -1, -1n],
    ['int64', -(2n ** 63n), -(2n ** 63n)],
    ['uint64', 2n ** 64n - 1n, 2n ** 64n - 1n],
    ['bool', true, true],
    ['string', '', ''],
  ])('of %s from %s is %s', (type, value, element) => {
    expect(toElement(value, type)).toEqual({ element })
  })

  it.each<[TensorType, number | bigint | string | boolean, string]>([
    ['float32', 1e39, 'a number within the range of float32'],
    ['float16', 65520, 'a number within the range of float16'],
    ['float32', 1n, 'expected a number, got the bigint 1n'],
    ['float64', '1', 'expected a number, got the string "1"'],
    ['float64', true, 'expected a number, got the boolean true'],
    ['int8', 128, 'expected an integer from -128 to 127, got the number 128'],
    ['uint8', -1, 'an integer from 0 to 255'],
    ['uint8', 1.5, 'an integer from 0 to 255'],
    ['int32', nan, 'an integer'],
    ['int32', infinity, 'an integer'],
    ['int32', '7', 'an integer'],
    ['int32', false, 'an integer'],
    ['int64', 2n ** 63n, 'an integer from -9223372036854775808 to 9223372036854775807'],
    ['uint64', -1n, 'an integer from 0 to 18446744073709551615'],
    ['bool', 1, 'expected a boolean, got the number 1'],
    ['string', 1, 'expected a string, got the number 1'],
  ])('of %s is never %s', (type, value, problem) => {
    expect(toElement(value, type)).toEqual({ problem: expect.stringContaining(problem) })
  })
})

describe('a half', () => {
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [0, 0x0000],
    [-0, 0x8000],
    [0.1, 0x2e66],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-1e300, 0xfc00],
    [infinity, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.01, 0x0001],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
    [nan, 0x7e00],
  ])('of %s has its bits', (value, bits) => {
    const bytes = encodeElement(value, 'float16')
    expect(new Uint16Array(bytes.slice().buffer)[0]).toBe(bits)
  })

  it('is what each of its 65536 patterns stands for', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const [exponent, fraction] = [bits >> 10, bits & 0x3ff]
      const value =
        exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15)
      if (roundTo('float16', value) !== value) expect.fail(`0x${bits.toString(16)} is rounded`)
      const [low = 0, high = 0] = encodeElement(-value, 'float16')
      if ((low | (high << 8)) !== (bits | 0x8000)) expect.fail(`0x${bits.toString(16)} differs`)
    }
  })
})

describe('the bytes of an element', () => {
  it.each<[TensorType, number | bigint | boolean, readonly number[]]>([
    ['float32', 1, [0, 0, 128, 63]],
    ['float64', 1, [0, 0, 0, 0, 0, 0, 240, 63]],
    ['int8', -2, [254]],
    ['uint8', 254, [254]],
    ['int16', -2, [254, 255]],
    ['uint16', 65534, [254, 255]],
    ['int32', -2, [254, 255, 255, 255]],
    ['uint32', 4294967294, [254, 255, 255, 255]],
    ['int64', -2n, [254, 255, 255, 255, 255, 255, 255, 255]],
    ['uint64', 2n ** 64n - 2n, [254, 255, 255, 255, 255, 255, 255, 255]],
    ['bool', true, [1]],
    ['bool', false, [0]],
  ])('of %s %s', (type, element, bytes) => {
    expect([...encodeElement(element, type)]).toEqual(bytes)
  })
})

describe('an element of a tensor', () => {
  it.each<[TensorType, number | bigint | boolean]>([
    ['float32', 0.5],
    ['float64', 0.1],
    ['int64', -(2n ** 63n)],
    ['uint8', 255],
    ['bool', true],
    ['bool', false],
    ['float16', 0.5],
    ['float16', -65504],
    ['float16', 2 ** -24],
    ['float16', -(2 ** -14)],
    ['float16', infinity],
    ['float16', -infinity],
    ['float16', nan],
    ['float16', 0],
  ])('of %s is read as it was written: %o', (type, element) => {
    const { array = Uint8Array } = elementFormats[type]
    const data = new array(encodeElement(element, type).slice().buffer)
    expect(elementAt({ type, dims: [1], data } as Tensor, 0)).toEqual(element)
  })

  it('of strings is the string', () => {
    expect(elementAt({ type: 'string', dims: [2], data: ['a', 'b'] }, 1)).toBe('b')
  })
})
