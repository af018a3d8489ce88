// Elements of every type that has a form in JSON.
import type { TensorType } from '../../src/index.ts'

/** Four elements of each type: in JSON, as bytes, and how JSON writes them in a response where that differs. */
export interface TypeCase {
  readonly type: TensorType
  readonly datatype: string
  readonly json: string
  readonly bytes: Uint8Array
  readonly written?: string
}

export const bytesOf = ({ buffer }: { buffer: ArrayBufferLike }) => new Uint8Array(buffer)
const texts = Buffer.from('\x01\0\0\0a\x05\0\0\0\xc3\xbcn\xc3\xaf\0\0\0\0\x02\0\0\0"\\', 'latin1')

export const typeCases: readonly TypeCase[] = [
  {
    type: 'bool',
    datatype: 'BOOL',
    json: 'true,false,1,0',
    bytes: Uint8Array.of(1, 0, 1, 0),
    written: 'true,false,true,false',
  },
  {
    type: 'float32',
    datatype: 'FP32',
    json: '1.5,"NaN","-Infinity",-2.5e-7',
    bytes: bytesOf(Float32Array.of(1.5, Number.NaN, -Infinity, -2.5e-7)),
    written: `1.5,"NaN","-Infinity",${Math.fround(-2.5e-7)}`,
  },
  {
    type: 'float64',
    datatype: 'FP64',
    json: '0.1,"Infinity",-1e+300,3',
    bytes: bytesOf(Float64Array.of(0.1, Infinity, -1e300, 3)),
  },
  {
    type: 'int8',
    datatype: 'INT8',
    json: '-128,127,0,1',
    bytes: bytesOf(Int8Array.of(-128, 127, 0, 1)),
  },
  {
    type: 'int16',
    datatype: 'INT16',
    json: '-32768,32767,0,1',
    bytes: bytesOf(Int16Array.of(-32768, 32767, 0, 1)),
  },
  {
    type: 'int32',
    datatype: 'INT32',
    json: '-2147483648,2147483647,0,1',
    bytes: bytesOf(Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1)),
  },
  {
    type: 'int64',
    datatype: 'INT64',
    json: '-9223372036854775808,9223372036854775807,9007199254740993,"12"',
    bytes: bytesOf(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 9007199254740993n, 12n)),
    written: '-9223372036854775808,9223372036854775807,9007199254740993,12',
  },
  { type: 'uint8', datatype: 'UINT8', json: '255,0,1,2', bytes: Uint8Array.of(255, 0, 1, 2) },
  {
    type: 'uint16',
    datatype: 'UINT16',
    json: '65535,0,1,2',
    bytes: bytesOf(Uint16Array.of(65535, 0, 1, 2)),
  },
  {
    type: 'uint32',
    datatype: 'UINT32',
    json: '4294967295,0,1,2',
    bytes: bytesOf(Uint32Array.of(2 ** 32 - 1, 0, 1, 2)),
  },
  {
    type: 'uint64',
    datatype: 'UINT64',
    json: '18446744073709551615,0,9007199254740993,"18446744073709551614"',
    bytes: bytesOf(BigUint64Array.of(2n ** 64n - 1n, 0n, 9007199254740993n, 2n ** 64n - 2n)),
    written: '18446744073709551615,0,9007199254740993,18446744073709551614',
  },
  { type: 'string', datatype: 'BYTES', json: '"a","ünï","","\\"\\\\"', bytes: texts },
]

export const half = bytesOf(Uint16Array.of(0x3e00, 0xc080, 0x7e00, 0))
