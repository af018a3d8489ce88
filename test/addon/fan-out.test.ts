// Items cross the addon: a stage that fans out, one that gathers, and items as an output, with a real model and the
// pipeline written as the core reads it.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { PendingRequests } from '../../src/engine/pending-requests.ts'
import { ResultReader } from '../../src/engine/result-reader.ts'
import type { NativeModel, NativePipelineSpec, NativeStageSpec } from '../../src/native/addon.ts'
import { loadAddon } from '../../src/native/load.ts'
import { findOnnxRuntime, onnxRuntimeVersion } from '../../src/native/onnx-runtime.ts'
import type { BoundOutput, BoundPipeline } from '../../src/pipeline/bound-pipeline.ts'

const addon = loadAddon()

/** tokens [batch, sequence] -> doubled [batch, sequence], total [batch] */
function loadModel(): Promise<NativeModel> {
  return addon.loadModel({
    libraryPath: findOnnxRuntime(),
    libraryVersion: onnxRuntimeVersion,
    source: fileURLToPath(new URL('../models/dynamic-sequence.onnx', import.meta.url)),
    name: 'dynamic-sequence',
    threads: 1,
    replaceable: false,
    spinning: false,
    background: false,
    loads: undefined,
    arena: false,
    sessionConfig: {},
    driver: '',
    memoryBytes: Number.POSITIVE_INFINITY,
    provider: { kind: 'cpu', device: 0, options: {} },
  })
}

const plain = {
  batched: true,
  condition: undefined,
  fanOut: false,
  gather: -1,
  replicas: 1,
  maxBatch: 4,
  maxDelayMs: 0,
  threads: 1,
  padding: [],
  trims: [],
  cache: undefined,
  isolate: true,
} as const

// tokens -> split (an item a token, doubled) -> join (gathers them: their total)
function pipelineOf(model: NativeModel): NativePipelineSpec {
  const split: NativeStageSpec = {
    ...plain,
    name: 'split',
    model,
    inputs: [[[-1, 0]]],
    fanOut: true,
  }
  const join: NativeStageSpec = { ...plain, name: 'join', model, inputs: [[[0, 0]]], gather: 0 }
  return {
    batched: true,
    maxPendingRows: 64,
    objectiveMs: Number.POSITIVE_INFINITY,
    shed: true,
    warmUp: false,
    inputs: [{ name: 'tokens', type: 'float32', dims: [-1, -1] }],
    stages: [split, join],
    outputs: [
      { name: 'total', sources: [[1, 1]], fill: new Uint8Array(4) },
      { name: 'items', sources: [[0, 0]], fill: new Uint8Array(4) },
    ],
  }
}

function outputOf(name: string, source: readonly [stage: number, output: number]): BoundOutput {
  const [stage, output] = source
  const sources = [{ kind: 'stage', stage, output }] as const
  return { name, type: 'float32', dims: [-1], fill: 0, sources, perItem: name === 'items' }
}

const bound: BoundPipeline = {
  inputs: [],
  stages: [],
  outputs: [outputOf('total', [1, 1]), outputOf('items', [0, 0])],
  batched: true,
}

async function startEngine() {
  const engine = await addon.createEngine(pipelineOf(await loadModel()))
  const pending = new PendingRequests()
  const { heads, payload, onSettled } = new ResultReader(bound, pending)
  const openDims = new Float64Array(1)
  const submit = engine.attach({
    heads,
    payload,
    openDims: openDims.buffer,
    onSettled,
    onFallback: () => {},
  })
  const infer = (rows: readonly (readonly number[])[]) => {
    openDims[0] = rows[0]?.length ?? 0
    return pending.add(submit(rows.length, 1, Infinity, new Float32Array(rows.flat())))
  }
  return { engine, infer }
}

describe('a fan-out in the core', () => {
  it('answers with items of all rows, and with what was gathered of each', async () => {
    const { engine, infer } = await startEngine()
    const { total, items } = await infer([
      [1, 2, 3],
      [10, 20, 30],
    ])
    expect(items).toEqual({
      type: 'float32',
      dims: [6],
      data: new Float32Array([2, 4, 6, 20, 40, 60]),
    })
    expect(total).toEqual({ type: 'float32', dims: [2], data: new Float32Array([12, 120]) })
    await engine.stop()
  })

  it('answers a request without items', async () => {
    const { engine, infer } = await startEngine()
    const { total, items } = await infer([[]])
    expect(items).toEqual({ type: 'float32', dims: [0], data: new Float32Array() })
    expect(total?.data).toEqual(new Float32Array([0]))
    await engine.stop()
  })
})
