/**
 * Writes the models of this folder: `npx tsx test/models/generate.ts`. The README lists them. Equal
 * runs write equal bytes, so the files are committed and git shows what a change here does.
 */
import { writeFileSync } from 'node:fs'
import {
  type AttributeProto,
  attributeTypes,
  type DataTypeName,
  dataTypes,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../bench/models/onnx-schema.ts'

type Dimensions = (number | string)[]

function tensor(name: string, options: { type: DataTypeName; dims: Dimensions }): ValueInfoProto {
  const dim = options.dims.map((size) =>
    typeof size === 'number' ? { dimValue: size } : { dimParam: size },
  )
  return { name, type: { tensorType: { elemType: dataTypes[options.type], shape: { dim } } } }
}

function sequence(name: string): ValueInfoProto {
  const elemType = { tensorType: { elemType: dataTypes.float32 } }
  return { name, type: { sequenceType: { elemType } } }
}

/** `node('Add', 'a b -> sum')`. A dash stands for an input that is left out. */
function node(opType: string, wires: string, ...attribute: AttributeProto[]): NodeProto {
  const [inputs = '', outputs = ''] = wires.split('->')
  const names = (list: string) => list.split(' ').filter((name) => name !== '')
  return {
    opType,
    input: names(inputs).map((name) => (name === '-' ? '' : name)),
    output: names(outputs),
    attribute,
  }
}

function integer(name: string, i: number): AttributeProto {
  return { name, type: attributeTypes.int, i }
}

function floats(name: string, options: { dims: number[]; values: number[] }): TensorProto {
  return { name, dims: options.dims, dataType: dataTypes.float32, floatData: options.values }
}

function integers(name: string, options: { dims: number[]; values: number[] }): TensorProto {
  return { name, dims: options.dims, dataType: dataTypes.int64, int64Data: options.values }
}

type GraphParts = Omit<GraphProto, 'name' | 'initializer'> & { initializer?: TensorProto[] }

function model(
  name: string,
  { opset = 17, ...graph }: GraphParts & { opset?: number },
): Uint8Array {
  return encodeModel({
    irVersion: 8,
    producerName: 'millrace-test',
    opsetImport: [{ version: opset }],
    graph: { name, initializer: [], ...graph },
  })
}

const identityTypes = [
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'bfloat16',
] as const satisfies DataTypeName[]

function identity(type: DataTypeName): Uint8Array {
  return model(`identity-${type}`, {
    input: [tensor('x', { type, dims: ['batch', 4] })],
    output: [tensor('y', { type, dims: ['batch', 4] })],
    node: [node('Identity', 'x -> y')],
  })
}

function echoString(): Uint8Array {
  return model('echo-string', {
    input: [tensor('text', { type: 'string', dims: ['batch'] })],
    output: [tensor('echo', { type: 'string', dims: ['batch'] })],
    node: [node('Identity', 'text -> echo')],
  })
}

function twoInputs(opset: number): Uint8Array {
  const pair: { type: DataTypeName; dims: Dimensions } = { type: 'float32', dims: ['batch', 2] }
  return model('two-inputs', {
    opset,
    input: [tensor('a', pair), tensor('b', pair)],
    output: [tensor('sum', pair), tensor('difference', pair)],
    node: [node('Add', 'a b -> sum'), node('Sub', 'a b -> difference')],
  })
}

function dynamicSequence(): Uint8Array {
  return model('dynamic-sequence', {
    input: [tensor('tokens', { type: 'float32', dims: ['batch', 'sequence'] })],
    output: [
      tensor('doubled', { type: 'float32', dims: ['batch', 'sequence'] }),
      tensor('total', { type: 'float32', dims: ['batch'] }),
    ],
    initializer: [integers('last', { dims: [1], values: [1] })],
    node: [
      node('Add', 'tokens tokens -> doubled'),
      node('ReduceSum', 'tokens last -> total', integer('keepdims', 0)),
    ],
  })
}

function doubled(name: string, dims: Dimensions): Uint8Array {
  return model(name, {
    input: [tensor('x', { type: 'float32', dims })],
    output: [tensor('y', { type: 'float32', dims })],
    node: [node('Add', 'x x -> y')],
  })
}

function gather(): Uint8Array {
  const values = Array.from({ length: 10 }, (_, index) => index * index)
  return model('gather', {
    input: [tensor('index', { type: 'int64', dims: ['batch'] })],
    output: [tensor('square', { type: 'float32', dims: ['batch'] })],
    initializer: [floats('squares', { dims: [10], values })],
    node: [node('Gather', 'squares index -> square')],
  })
}

function scalarOutput(): Uint8Array {
  return model('scalar-output', {
    input: [tensor('x', { type: 'float32', dims: ['batch', 2] })],
    output: [tensor('total', { type: 'float32', dims: [] })],
    node: [node('ReduceSum', 'x -> total', integer('keepdims', 0))],
  })
}

/** Declares one output for each row and gives one for each positive row: a shape that is not true. */
function untrueShape(): Uint8Array {
  return model('untrue-shape', {
    input: [tensor('x', { type: 'float32', dims: ['batch'] })],
    output: [tensor('positive', { type: 'float32', dims: ['batch'] })],
    initializer: [floats('zero', { dims: [], values: [0] })],
    node: [
      node('Greater', 'x zero -> keep'),
      node('Compress', 'x keep -> positive', integer('axis', 0)),
    ],
  })
}

/** Counts to the largest of `iterations` one by one: about a microsecond each, and it can be ended. */
function slow(): Uint8Array {
  const scalar = (name: string, type: DataTypeName) => tensor(name, { type, dims: [] })
  const body: GraphProto = {
    name: 'count',
    input: [scalar('step', 'int64'), scalar('go_on', 'bool'), scalar('before', 'int64')],
    output: [scalar('go_on_still', 'bool'), scalar('after', 'int64')],
    initializer: [integers('one', { dims: [], values: [1] })],
    node: [node('Identity', 'go_on -> go_on_still'), node('Add', 'before one -> after')],
  }
  return model('slow', {
    input: [tensor('iterations', { type: 'int64', dims: ['batch'] })],
    output: [tensor('sum', { type: 'int64', dims: ['batch'] })],
    initializer: [integers('zero', { dims: [], values: [0] })],
    node: [
      node('ReduceMax', 'iterations -> most', integer('keepdims', 0)),
      node('Loop', 'most - zero -> counted', { name: 'body', type: attributeTypes.graph, g: body }),
      node('Add', 'iterations counted -> sum'),
    ],
  })
}

/** Multiplies constant matrices, which ONNX Runtime does while it loads the model. */
function slowLoad(): Uint8Array {
  const products = Array.from({ length: 100 }, (_, index) =>
    node('MatMul', `product_${index} filled -> product_${index + 1}`),
  )
  const value = floats('', { dims: [1], values: [1 / 768] })
  return model('slow-load', {
    input: [tensor('x', { type: 'float32', dims: ['batch', 768] })],
    output: [tensor('y', { type: 'float32', dims: ['batch', 768] })],
    initializer: [integers('shape', { dims: [2], values: [768, 768] })],
    node: [
      node('ConstantOfShape', 'shape -> filled', {
        name: 'value',
        type: attributeTypes.tensor,
        t: value,
      }),
      node('Identity', 'filled -> product_0'),
      ...products,
      node('MatMul', 'x product_100 -> y'),
    ],
  })
}

function sequenceInput(): Uint8Array {
  return model('sequence-input', {
    input: [sequence('parts')],
    output: [tensor('count', { type: 'int64', dims: [] })],
    node: [node('SequenceLength', 'parts -> count')],
  })
}

function sequenceOutput(): Uint8Array {
  return model('sequence-output', {
    input: [tensor('x', { type: 'float32', dims: ['batch', 2] })],
    output: [sequence('parts')],
    node: [node('SequenceConstruct', 'x x -> parts')],
  })
}

const whole = twoInputs(17)
const files: Record<string, Uint8Array> = {
  ...Object.fromEntries(identityTypes.map((type) => [`identity-${type}`, identity(type)])),
  'echo-string': echoString(),
  'two-inputs': whole,
  'dynamic-sequence': dynamicSequence(),
  'no-batch': doubled('no-batch', [3]),
  'fixed-batch': doubled('fixed-batch', [1, 3]),
  gather: gather(),
  'scalar-output': scalarOutput(),
  'untrue-shape': untrueShape(),
  slow: slow(),
  'slow-load': slowLoad(),
  'sequence-input': sequenceInput(),
  'sequence-output': sequenceOutput(),
  'broken-truncated': whole.subarray(0, whole.length - 40),
  'broken-garbage': new TextEncoder().encode('This is no model, and never was one.\n'),
  'broken-opset': twoInputs(999),
}

for (const [name, bytes] of Object.entries(files)) {
  writeFileSync(new URL(`${name}.onnx`, import.meta.url), bytes)
}
