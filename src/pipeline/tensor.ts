/**
 * The element types, by the names of onnxruntime-common, and the array that holds the elements of
 * each.
 */
export interface TensorDataMap {
  /** IEEE single precision, 4 bytes an element. */
  float32: Float32Array
  /** Integers from 0 to 255. */
  uint8: Uint8Array
  /** Integers from -128 to 127. */
  int8: Int8Array
  /** Integers from 0 to 65,535. */
  uint16: Uint16Array
  /** Integers from -32,768 to 32,767. */
  int16: Int16Array
  /** Integers of 32 bits with a sign. */
  int32: Int32Array
  /** Integers of 64 bits with a sign, as bigints. */
  int64: BigInt64Array
  /** Text of any length, in a plain array. */
  string: string[]
  /** One byte an element: 0 or 1. */
  bool: Uint8Array
  /** The bits of IEEE half precision. */
  float16: Uint16Array
  /** IEEE double precision, 8 bytes an element. */
  float64: Float64Array
  /** Integers of 32 bits without a sign. */
  uint32: Uint32Array
  /** Integers of 64 bits without a sign, as bigints. */
  uint64: BigUint64Array
}

/** Name of an element type. */
export type TensorType = keyof TensorDataMap

/** Elements of a tensor, row-major. */
export type TensorData = TensorDataMap[TensorType]

/** A tensor as results carry it. `data` holds exactly as many elements as `dims` multiply to. */
export interface Tensor<Type extends TensorType = TensorType> {
  /** Which type its elements are of. */
  readonly type: Type
  /** Sizes of its dimensions, outermost first: of a result, the first counts rows. */
  readonly dims: readonly number[]
  /** Its elements, row-major. */
  readonly data: TensorDataMap[Type]
}

/**
 * What is accepted where a tensor is wanted: anything with `type`, `dims` and `data`, such as a
 * `Tensor` of onnxruntime-common whose data is on the CPU, or the bare elements where the pipeline
 * knows the shape. The four-bit types stand here because onnxruntime-common names them; no pipeline
 * takes them.
 */
export type TensorLike =
  | {
      /** Which type its elements are of. */
      readonly type: TensorType | 'uint4' | 'int4'
      /** Sizes of its dimensions, outermost first. */
      readonly dims: readonly number[]
      /** Its elements, row-major, in an array that fits `type`. */
      readonly data: TensorData | readonly string[]
    }
  | TensorData
  | readonly string[]

/** What a value of an element type is made of, in memory and in JavaScript. */
export interface ElementFormat {
  /** Bytes of one element; 0 for strings. */
  readonly bytes: number
  readonly kind: 'float' | 'integer' | 'bool' | 'string'
  /** Undefined for strings, which live in a plain array. */
  readonly array: TypedArrayConstructor | undefined
}

/** Constructor of the typed array that holds the elements of a numeric type. */
export type TypedArrayConstructor =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor

/** How the elements of each type are kept. */
export const elementFormats: Readonly<Record<TensorType, ElementFormat>> = Object.freeze({
  float32: { bytes: 4, kind: 'float', array: Float32Array },
  uint8: { bytes: 1, kind: 'integer', array: Uint8Array },
  int8: { bytes: 1, kind: 'integer', array: Int8Array },
  uint16: { bytes: 2, kind: 'integer', array: Uint16Array },
  int16: { bytes: 2, kind: 'integer', array: Int16Array },
  int32: { bytes: 4, kind: 'integer', array: Int32Array },
  int64: { bytes: 8, kind: 'integer', array: BigInt64Array },
  string: { bytes: 0, kind: 'string', array: undefined },
  bool: { bytes: 1, kind: 'bool', array: Uint8Array },
  float16: { bytes: 2, kind: 'float', array: Uint16Array },
  float64: { bytes: 8, kind: 'float', array: Float64Array },
  uint32: { bytes: 4, kind: 'integer', array: Uint32Array },
  uint64: { bytes: 8, kind: 'integer', array: BigUint64Array },
})

/** Whether `name` is an element type that pipelines can carry. */
export function isTensorType(name: unknown): name is TensorType {
  return typeof name === 'string' && Object.hasOwn(elementFormats, name)
}
