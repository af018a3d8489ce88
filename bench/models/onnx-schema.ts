/**
 * The part of ONNX's protobuf schema that a model of plain tensors needs, as TypeScript types and as
 * a codec over them. Field names are those of onnx.proto in camel case; the numbers are the format.
 *
 * Promises: equal objects encode to equal bytes; `decodeModel(encodeModel(model))` gives the model
 * back, with every repeated field present. Not promised: training, sparse tensors, functions, maps,
 * optionals and external data (such fields are dropped by decoding).
 */
import protobuf from 'protobufjs'

const schema = `
  syntax = "proto2";
  message ModelProto {
    optional int64 ir_version = 1;
    optional string producer_name = 2;
    optional string producer_version = 3;
    optional string domain = 4;
    optional int64 model_version = 5;
    optional string doc_string = 6;
    optional GraphProto graph = 7;
    repeated OperatorSetIdProto opset_import = 8;
    repeated StringStringEntryProto metadata_props = 14;
  }
  message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
  message StringStringEntryProto { optional string key = 1; optional string value = 2; }
  message GraphProto {
    repeated NodeProto node = 1;
    optional string name = 2;
    repeated TensorProto initializer = 5;
    optional string doc_string = 10;
    repeated ValueInfoProto input = 11;
    repeated ValueInfoProto output = 12;
    repeated ValueInfoProto value_info = 13;
  }
  message NodeProto {
    repeated string input = 1;
    repeated string output = 2;
    optional string name = 3;
    optional string op_type = 4;
    repeated AttributeProto attribute = 5;
    optional string doc_string = 6;
    optional string domain = 7;
  }
  message AttributeProto {
    optional string name = 1;
    optional float f = 2;
    optional int64 i = 3;
    optional bytes s = 4;
    optional TensorProto t = 5;
    optional GraphProto g = 6;
    repeated float floats = 7;
    repeated int64 ints = 8;
    repeated bytes strings = 9;
    optional int32 type = 20;
  }
  message TensorProto {
    repeated int64 dims = 1;
    optional int32 data_type = 2;
    repeated float float_data = 4 [packed = true];
    repeated int32 int32_data = 5 [packed = true];
    repeated bytes string_data = 6;
    repeated int64 int64_data = 7 [packed = true];
    optional string name = 8;
    optional bytes raw_data = 9;
  }
  message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
  message TypeProto {
    message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
    message Sequence { optional TypeProto elem_type = 1; }
    oneof value { Tensor tensor_type = 1; Sequence sequence_type = 4; }
  }
  message TensorShapeProto {
    message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
    repeated Dimension dim = 1;
  }
`

/** TensorProto.DataType, for the element types that models in this project use. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const
export type DataTypeName = keyof typeof dataTypes

/** AttributeProto.AttributeType. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const

export type ModelProto = {
  irVersion: number
  opsetImport: OperatorSetIdProto[]
  graph: GraphProto
  producerName?: string
  producerVersion?: string
  domain?: string
  modelVersion?: number
  docString?: string
  metadataProps?: { key: string; value: string }[]
}
/** The default domain is the empty string. */
export type OperatorSetIdProto = { domain?: string; version: number }
export type GraphProto = {
  name: string
  node: NodeProto[]
  initializer: TensorProto[]
  input: ValueInfoProto[]
  output: ValueInfoProto[]
  valueInfo?: ValueInfoProto[]
  docString?: string
}
export type NodeProto = {
  opType: string
  input: string[]
  output: string[]
  name?: string
  domain?: string
  attribute?: AttributeProto[]
  docString?: string
}
/** `type` (see `attributeTypes`) says which one of the value fields counts. */
export type AttributeProto = {
  name: string
  type: number
  f?: number
  i?: number
  s?: Uint8Array
  t?: TensorProto
  g?: GraphProto
  floats?: number[]
  ints?: number[]
  strings?: Uint8Array[]
}
/** Values lie in `rawData` (little-endian) or in the typed field; strings only in `stringData`. */
export type TensorProto = {
  dims: number[]
  dataType: number
  name?: string
  rawData?: Uint8Array
  stringData?: Uint8Array[]
  floatData?: number[]
  int32Data?: number[]
  int64Data?: number[]
}
export type ValueInfoProto = { name: string; type: TypeProto }
export type TypeProto = {
  tensorType?: { elemType: number; shape?: TensorShapeProto }
  sequenceType?: { elemType: TypeProto }
}
/** A dimension with neither field has an unknown size. */
export type TensorShapeProto = { dim: { dimValue?: number; dimParam?: string }[] }

const modelType = protobuf.parse(schema).root.lookupType('ModelProto')

export function encodeModel(model: ModelProto): Uint8Array {
  return modelType.encode(model).finish()
}

/** 64-bit integers come back as numbers: exact up to 2^53, which every dimension and version is. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return modelType.toObject(modelType.decode(bytes), { longs: Number, arrays: true }) as ModelProto
}
