import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx } from '../../src/index.ts'
import { gather, modelFile } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const index = BigInt64Array.of(3n)

describe('options of start', () => {
  const wrong: [options: unknown, message: string][] = [
    [null, 'engine options: expected a plain object, got null'],
    [3, 'engine options: expected a plain object, got the number 3'],
    [{ maxPendingRow: 3 }, 'unknown key "maxPendingRow"; did you mean "maxPendingRows"?'],
    [{ maxPendingRows: 0 }, 'maxPendingRows: expected an integer from 1'],
    [{ maxPendingRows: -1 }, 'got the number -1'],
    [{ maxPendingRows: 1.5 }, 'got the number 1.5'],
    [{ maxPendingRows: Number.NaN }, 'got the number NaN'],
    [{ maxPendingRows: 2 ** 40 }, 'got the number 1099511627776'],
    [{ maxPendingRows: '7' }, 'got the string "7"'],
    [{ maxPendingRows: null }, 'got null'],
    [{ configuration: null }, 'configuration: expected a plain object, got null'],
    [{ configuration: { gathr: {} } }, 'has no stage "gathr"; did you mean "gather"?'],
    [{ configuration: { gather: { maxBatch: -2 } } }, 'configuration.gather.maxBatch'],
  ]
  it.each(wrong)('are refused by name: %j', async (options, message) => {
    const error = await rejectionOf(Engine.start(gather, options as never))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })

  it('are looked at before any model is loaded', async () => {
    const missing = definePipeline({
      stages: { none: onnx('no/such.onnx', { inputs: { x: 'request.x' } }) },
      outputs: { y: 'none.y' },
    })
    expect(await rejectionOf(Engine.start(missing, { maxPendingRows: 0 }))).toMatchObject({
      code: 'MILLRACE_INVALID_OPTION',
    })
  })

  it('need a pipeline of definePipeline', async () => {
    for (const pipeline of [undefined, null, {}, { ...gather }]) {
      expect(await rejectionOf(Engine.start(pipeline as never))).toMatchObject({
        code: 'MILLRACE_INVALID_PIPELINE',
      })
    }
  })

  it('may ask for the most rows there may be', async () => {
    await using engine = await Engine.start(gather, { maxPendingRows: 1 << 20 })
    expect((await engine.infer({ index })).square.data[0]).toBe(9)
  })

  it('that are undefined take their defaults', async () => {
    const configuration = { gather: { maxBatch: undefined, replicas: undefined } }
    await using engine = await Engine.start(gather, { configuration, maxPendingRows: undefined })
    expect((await engine.infer({ index }, {})).square.data[0]).toBe(9)
  })
})

describe('options of a running engine', () => {
  let engine: Engine<typeof gather>
  beforeAll(async () => {
    engine = await Engine.start(gather)
  })
  afterAll(() => engine.close())

  const wrongTerms: [options: unknown, message: string][] = [
    [null, 'infer options: expected a plain object, got null'],
    [{ deadline: 3 }, 'unknown key "deadline"; did you mean "deadlineMs"?'],
    [{ deadlineMs: Number.NaN }, 'deadlineMs: expected a finite number, got the number NaN'],
    [{ deadlineMs: Number.NEGATIVE_INFINITY }, 'got the number -Infinity'],
    [{ deadlineMs: '5' }, 'got the string "5"'],
    [{ deadlineMs: null }, 'got null'],
    [{ priority: 'urgent' }, 'priority: expected one of "high", "normal", "low"'],
    [{ priority: 1 }, 'got the number 1'],
    [{ signal: {} }, 'signal: expected an AbortSignal, got an empty object'],
    [{ signal: null }, 'got null'],
  ]
  it.each(wrongTerms)(
    'are refused by infer, which rejects and never throws: %j',
    async (options, message) => {
      const error = await rejectionOf(engine.infer({ index }, options as never))
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
      expect(error.message).toContain(message)
      expect(engine.stats().pendingRequests).toBe(0)
    },
  )

  it.each([
    { deadlineMs: 0.5e3 },
    { deadlineMs: 1e300 },
    { deadlineMs: Number.POSITIVE_INFINITY },
    { deadlineMs: undefined, signal: undefined, priority: undefined },
    { priority: 'high' },
    { priority: 'low' },
    { signal: new AbortController().signal },
  ] as const)('are taken by infer: %j', async (options) => {
    expect((await engine.infer({ index }, options)).square.data[0]).toBe(9)
  })

  it.each([-1, 0.5, Number.NaN, 1025, '2', null, undefined])(
    'are refused by scale: %j replicas',
    async (replicas) => {
      const error = await rejectionOf(engine.scale('gather', replicas as never))
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
      expect(error.message).toContain('scale: replicas: expected an integer from 0 to 1024')
    },
  )

  it('are refused by scale: a stage that there is not', async () => {
    for (const stage of ['gathr', 'constructor', undefined, Symbol('gather')]) {
      const error = await rejectionOf(engine.scale(stage as never, 1))
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
      expect(error.message).toContain('"gather"')
    }
  })

  it.each([
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { timeoutMs: null },
    { timeout: 5 },
    null,
  ])('are refused by close, which then does nothing: %j', async (options) => {
    expect(await rejectionOf(engine.close(options as never))).toMatchObject({
      code: 'MILLRACE_INVALID_OPTION',
    })
    expect((await engine.infer({ index })).square.data[0]).toBe(9)
  })
})

describe('a stage called like a property that every object has', () => {
  it('is configured like any other', async () => {
    const pipeline = definePipeline({
      stages: { constructor: onnx(modelFile('gather'), { inputs: { index: 'request.index' } }) },
      outputs: { toString: 'constructor.square' },
    })
    await using engine = await Engine.start(pipeline)
    expect((await engine.infer({ index })).toString.data[0]).toBe(9)
  })
})
