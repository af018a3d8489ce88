import type { TensorType } from '../../pipeline/tensor.ts'

/** The protocol's name of each element type. */
export const datatypes: Readonly<Record<TensorType, string>> = Object.freeze({
  float32: 'FP32',
  uint8: 'UINT8',
  int8: 'INT8',
  uint16: 'UINT16',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  string: 'BYTES',
  bool: 'BOOL',
  float16: 'FP16',
  float64: 'FP64',
  uint32: 'UINT32',
  uint64: 'UINT64',
})

/** For messages: `FP32[-1, 3]`. */
export function describeTensor(datatype: string, shape: readonly number[]): string {
  return `${datatype}[${shape.join(', ')}]`
}
