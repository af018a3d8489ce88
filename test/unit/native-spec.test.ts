import { describe, expect, it } from 'vitest'
import { toNativeSpec } from '../../src/engine/native-spec.ts'
import type { NativeModel } from '../../src/native/addon.ts'
import type { BoundOutput, BoundPipeline } from '../../src/pipeline/bound-pipeline.ts'
import { plainStage } from './plain-stage.ts'

const model: NativeModel = { inputs: [], outputs: [], release() {} }
const configuration = {
  tier: 'cpu-1',
  threads: 1,
  maxBatch: 8,
  replicas: 2,
  maxDelayMs: 1,
  model: 'small',
}
const bound: BoundPipeline = {
  batched: true,
  inputs: [{ name: 'x', type: 'float32', dims: [-1, 2] }],
  stages: [
    {
      name: 'one',
      ...plainStage,
      batched: true,
      inputs: [[{ kind: 'request', input: 0 }]],
      inputSpecs: [],
      outputs: [],
      condition: undefined,
    },
    {
      name: 'two',
      ...plainStage,
      batched: true,
      inputs: [
        [
          { kind: 'stage', stage: 0, output: 1 },
          { kind: 'request', input: 0 },
        ],
      ],
      inputSpecs: [],
      outputs: [],
      condition: {
        source: { stage: 0, output: 0 },
        type: 'float32',
        below: 0.5,
        above: undefined,
        equals: undefined,
      },
    },
  ],
  outputs: [],
}

function specOf(outputs: readonly BoundOutput[]) {
  const names = ['one', 'two']
  return toNativeSpec(
    { ...bound, outputs },
    {
      models: new Map(names.map((name) => [name, model])),
      configuration: new Map(names.map((name) => [name, configuration])),
      maxPendingRows: 64,
      objectiveMs: 20,
      shed: true,
      warmUp: true,
    },
  )
}

describe('the specification for the core', () => {
  it('refers by numbers: [stage, output], or [-1, input] for the request', () => {
    const { stages, inputs, batched, maxPendingRows, objectiveMs } = specOf([])
    expect({ inputs, batched, maxPendingRows, objectiveMs }).toEqual({
      inputs: bound.inputs,
      batched: true,
      maxPendingRows: 64,
      objectiveMs: 20,
    })
    expect(stages[0]).toMatchObject({
      name: 'one',
      model,
      inputs: [[[-1, 0]]],
      condition: undefined,
    })
    expect(stages[1]).toMatchObject({
      inputs: [
        [
          [0, 1],
          [-1, 0],
        ],
      ],
      condition: { source: [0, 0], below: 0.5, above: undefined, equals: undefined },
      replicas: 2,
      maxBatch: 8,
      maxDelayMs: 1,
    })
  })

  it('gives what a row is filled with as the bytes of one element, or as the string', () => {
    const fills = [
      ['float32', -1, [0, 0, 0x80, 0xbf]],
      ['int64', -2n, [0xfe, 255, 255, 255, 255, 255, 255, 255]],
      ['bool', true, [1]],
      ['float16', 1, [0, 0x3c]],
      ['uint16', 0x1234, [0x34, 0x12]],
    ] as const
    const source = { kind: 'stage', stage: 0, output: 0 } as const
    for (const [type, fill, bytes] of fills) {
      const output = { name: 'y', type, dims: [-1], sources: [source], fill, perItem: false }
      expect(specOf([output]).outputs[0]?.fill).toEqual(Uint8Array.from(bytes))
    }
    const text = {
      name: 'y',
      type: 'string',
      dims: [-1],
      sources: [source],
      perItem: false,
    } as const
    expect(specOf([{ ...text, fill: 'none' }]).outputs[0]?.fill).toBe('none')
    expect(specOf([{ ...text, fill: undefined }]).outputs[0]?.fill).toBeUndefined()
  })
})
