import { describe, expect, it } from 'vitest'
import { encodeModel } from '../../bench/models/onnx-schema.ts'
import { definePipeline, Engine, onnx } from '../../src/index.ts'
import { gather, modelFile } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const good = (at: number) => ({ index: BigInt64Array.of(BigInt(at % 10)) })
const bad = { index: BigInt64Array.of(99n) }

describe('a model that fails for one row of a batch', () => {
  it('fails the request of that row alone, naming the stage and what ONNX Runtime said', async () => {
    await using engine = await Engine.start(gather, {
      configuration: { gather: { maxBatch: 32, replicas: 0 } },
    })
    const before = Array.from({ length: 13 }, (_, at) => engine.infer(good(at)))
    const guilty = rejectionOf(engine.infer(bad))
    const after = Array.from({ length: 18 }, (_, at) => engine.infer(good(at)))
    await engine.scale('gather', 1)
    const error = await guilty
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', status: 500, stage: 'gather' })
    expect(error.message).toMatch(/^stage "gather" failed: .*INVALID_ARGUMENT.*99/is)
    for (const requests of [before, after]) {
      const squares = (await Promise.all(requests)).map(({ square }) => square.data[0])
      expect(squares).toEqual(squares.map((_, at) => (at % 10) ** 2))
    }
    expect(engine.stats().stages.gather).toMatchObject({ failedRows: 1, rows: 31 })
    expect(engine.stats().stages.gather.retries).toBeGreaterThan(0)
  })

  it('fails a request of many rows as a whole, once', async () => {
    await using engine = await Engine.start(gather)
    const index = BigInt64Array.of(1n, 2n, 99n, 4n, 77n)
    expect((await rejectionOf(engine.infer({ index }))).code).toBe('MILLRACE_STAGE_FAILED')
    expect((await engine.infer(good(5))).square.data[0]).toBe(25)
    expect(engine.stats()).toMatchObject({
      pendingRequests: 0,
      pendingRows: 0,
      requests: { failed: 1 },
    })
  })

  it('fails every request where every row is guilty, and goes on serving', async () => {
    await using engine = await Engine.start(gather)
    const errors = Array.from({ length: 100 }, () => rejectionOf(engine.infer(bad)))
    for (const error of await Promise.all(errors)) expect(error.stage).toBe('gather')
    expect((await engine.infer(good(3))).square.data[0]).toBe(9)
    expect(engine.stats().requests).toMatchObject({ failed: 100, completed: 1 })
  })

  it('keeps what comes after it from running', async () => {
    const pipeline = definePipeline({
      stages: {
        gather: onnx(modelFile('gather'), { inputs: { index: 'request.index' } }),
        after: onnx(modelFile('untrue-shape'), { inputs: { x: 'gather.square' } }),
      },
      outputs: { positive: 'after.positive' },
    })
    await using engine = await Engine.start(pipeline)
    expect((await rejectionOf(engine.infer(bad))).stage).toBe('gather')
    expect(engine.stats().stages.after.batches).toBe(0)
    expect((await engine.infer(good(2))).positive.data[0]).toBe(4)
  })
})

describe('an engine for which there is no memory', () => {
  it('does not start, and says what to lower', async () => {
    const engine = Engine.start(hugeRows(), { maxPendingRows: 1 << 20 })
    const error = await rejectionOf(engine)
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain('lower maxPendingRows')
  })
})

/** Rows of 256 MiB, of which a million cannot even be reserved. */
function hugeRows() {
  const shape = { dim: [{ dimParam: 'batch' }, { dimValue: 1 << 26 }] }
  const type = { tensorType: { elemType: 1, shape } }
  const bytes = encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'huge-rows',
      node: [{ opType: 'Identity', input: ['x'], output: ['y'], attribute: [] }],
      initializer: [],
      input: [{ name: 'x', type }],
      output: [{ name: 'y', type }],
    },
  })
  return definePipeline({
    stages: { same: onnx(bytes, { inputs: { x: 'request.x' } }) },
    outputs: { y: 'same.y' },
  })
}
