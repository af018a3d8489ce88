import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encoderModel } from '../../bench/models/encoder.ts'
import { identityModel } from '../../bench/models/identity.ts'
import { buildLoadModel, loadModelNames } from '../../bench/models/index.ts'
import { mlpModel } from '../../bench/models/mlp.ts'
import {
  dataTypes,
  decodeModel,
  encodeModel,
  type ModelProto,
} from '../../bench/models/onnx-schema.ts'
import { type SampleInput, sampleInputs } from '../../bench/models/sample-inputs.ts'

type Inputs = Record<string, SampleInput>

const smallEncoder = { layers: 2, hidden: 32, heads: 4, feedForward: 64, positions: 32 }
const smallModels = [
  { name: 'identity', build: identityModel, output: 'y' },
  { name: 'mlp', build: mlpModel, output: 'y' },
  {
    name: 'encoder',
    build: ({ seed }: { seed: number }) => encoderModel({ ...smallEncoder, seed }),
    output: 'embedding',
  },
] as const

describe('an ONNX model in protobuf', () => {
  it('decodes to what was encoded', () => {
    const rawData = new Uint8Array(Float32Array.of(1, -2).buffer)
    const model: ModelProto = {
      irVersion: 8,
      opsetImport: [{ domain: '', version: 17 }],
      graph: {
        name: 'graph',
        node: [
          {
            opType: 'Concat',
            input: ['x', 'c'],
            output: ['y'],
            attribute: [
              { name: 'axis', type: 2, i: -1 },
              { name: 'f', type: 1, f: 0.5 },
              { name: 's', type: 3, s: Uint8Array.of(97) },
              { name: 'ints', type: 7, ints: [0, -3, 2 ** 40] },
              { name: 'floats', type: 6, floats: [0.25, -1] },
              { name: 'strings', type: 8, strings: [Uint8Array.of(98), Uint8Array.of()] },
              { name: 't', type: 4, t: { dims: [], dataType: 7, rawData: new Uint8Array(8) } },
              {
                name: 'g',
                type: 5,
                g: { name: '', node: [], initializer: [], input: [], output: [] },
              },
            ],
          },
        ],
        initializer: [
          { name: 'c', dims: [2], dataType: dataTypes.float32, rawData },
          { name: 's', dims: [1], dataType: dataTypes.string, stringData: [Uint8Array.of(104)] },
        ],
        input: [tensorValue('x', [{ dimParam: 'batch' }, { dimValue: 0 }, {}])],
        output: [tensorValue('y', [])],
      },
    }
    expect(plain(decodeModel(encodeModel(model)))).toMatchObject(plain(model))
  })

  it('keeps a dimension of 0 apart from an unknown one', () => {
    const { graph } = decodeModel(identityModel({ seed: 1 }))
    graph.input = [tensorValue('x', [{ dimValue: 0 }, {}])]
    const decoded = decodeModel(encodeModel({ irVersion: 8, opsetImport: [], graph }))
    expect(decoded.graph.input[0]?.type.tensorType?.shape?.dim).toEqual([{ dimValue: 0 }, {}])
  })
})

describe.each(smallModels)('the load model $name', ({ name, build, output }) => {
  let session: InferenceSession

  beforeAll(async () => {
    session = await InferenceSession.create(build({ seed: 1 }), { intraOpNumThreads: 1 })
  })
  afterAll(() => session.release())

  it('has the same bytes for the same seed', () => {
    expect(Buffer.compare(build({ seed: 7 }), build({ seed: 7 }))).toBe(0)
  })

  it('has a dynamic batch, opset 17 and weights in raw bytes', () => {
    const { irVersion, opsetImport, graph } = decodeModel(build({ seed: 1 }))
    expect(irVersion).toBe(8)
    expect(opsetImport).toMatchObject([{ version: 17 }])
    for (const { type } of [...graph.input, ...graph.output]) {
      expect(type.tensorType?.shape?.dim[0]).toEqual({ dimParam: 'batch' })
    }
    for (const { dims, dataType, rawData } of graph.initializer) {
      const elementBytes = dataType === dataTypes.int64 ? 8 : 4
      expect(rawData?.length).toBe(dims.reduce((product, size) => product * size, elementBytes))
    }
  })

  it('gives finite outputs, and others for other rows', async () => {
    const values = await run(session, sampleInputs(name, { batch: 2, sequence: 9 }))
    expect(values.every(Number.isFinite)).toBe(true)
    const [first, second] = [row(values, 0, 2), row(values, 1, 2)]
    expect(largestDifference(first, second)).toBeGreaterThan(0.1)
  })

  it('gives a batch of three what it gives three single rows', async () => {
    const inputs = sampleInputs(name, { batch: 3, sequence: 9 })
    const together = await run(session, inputs)
    const scale = Math.max(...together.map(Math.abs))
    for (let index = 0; index < 3; index++) {
      const single = await run(session, inputRow(inputs, index))
      expect(largestDifference(row(together, index, 3), single) / scale).toBeLessThan(1e-4)
    }
  })

  async function run(target: InferenceSession, inputs: Inputs): Promise<Float32Array> {
    const feeds: Record<string, Tensor> = {}
    for (const [key, { type, data, dims }] of Object.entries(inputs)) {
      feeds[key] = new Tensor(type, data, dims)
    }
    return (await target.run(feeds))[output]?.data as Float32Array
  }
})

describe('the seed of a load model', () => {
  it('changes the weights', () => {
    expect(Buffer.compare(mlpModel({ seed: 1 }), mlpModel({ seed: 2 }))).not.toBe(0)
  })
})

describe('the encoder', () => {
  it('gives a padded sentence the embedding that it has alone', async () => {
    const session = await InferenceSession.create(encoderModel({ ...smallEncoder, seed: 1 }))
    const ids = BigInt64Array.of(3n, 1n, 4n, 0n, 0n)
    const embed = async (length: number) => {
      const mask = BigInt64Array.from({ length }, (_, index) => (index < 3 ? 1n : 0n))
      const outputs = await session.run({
        input_ids: new Tensor('int64', ids.slice(0, length), [1, length]),
        attention_mask: new Tensor('int64', mask, [1, length]),
      })
      return outputs['embedding']?.data as Float32Array
    }
    expect(largestDifference(await embed(3), await embed(5))).toBeLessThan(1e-4)
    await session.release()
  })
})

describe('building a load model', () => {
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-load-models-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  it('knows the five models', () => {
    expect(loadModelNames).toEqual(['identity', 'mlp', 'resnet18', 'resnet50', 'encoder'])
  })

  it('writes a file once, whoever asks at the same time', async () => {
    const builds = Array.from({ length: 4 }, () => buildLoadModel('mlp', { directory }))
    const [path = '', ...others] = await Promise.all(builds)
    expect(others).toEqual([path, path, path])
    expect(await readdir(directory)).toEqual([basename(path)])
    expect(Buffer.compare(await readFile(path), mlpModel({ seed: 1 }))).toBe(0)
  })

  it('names the file for model and seed', async () => {
    const path = await buildLoadModel('mlp', { directory, seed: 2 })
    expect(basename(path)).toMatch(/^mlp-[0-9a-f]{12}\.onnx$/)
    expect(path).not.toBe(await buildLoadModel('mlp', { directory }))
  })
})

function tensorValue(name: string, dim: { dimValue?: number; dimParam?: string }[]) {
  return { name, type: { tensorType: { elemType: dataTypes.float32, shape: { dim } } } }
}

/** Byte strings as arrays: decoding gives them as Buffer, which is no equal of a Uint8Array. */
function plain(model: ModelProto): object {
  const replacer = (_: string, value: unknown) => {
    if (value instanceof Uint8Array) return [...value]
    const isBuffer = typeof value === 'object' && value !== null && 'data' in value
    return isBuffer && 'type' in value && value.type === 'Buffer' ? value.data : value
  }
  return JSON.parse(JSON.stringify(model, replacer))
}

function row(values: Float32Array, index: number, rows: number): Float32Array {
  const length = values.length / rows
  return values.subarray(index * length, (index + 1) * length)
}

function inputRow(inputs: Inputs, index: number): Inputs {
  const entries = Object.entries(inputs).map(([name, input]) => {
    const [rows = 1, ...dims] = input.dims
    const length = input.data.length / rows
    const data = input.data.slice(index * length, (index + 1) * length)
    return [name, { type: input.type, dims: [1, ...dims], data }]
  })
  return Object.fromEntries(entries)
}

function largestDifference(left: Float32Array, right: Float32Array): number {
  expect(left.length).toBe(right.length)
  return left.reduce((worst, value, index) => Math.max(worst, Math.abs(value - right[index]!)), 0)
}
