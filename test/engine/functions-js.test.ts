import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, js } from '../../src/index.ts'
import { functionsModule, jsOf, numbers } from './functions.ts'
import { rejectionOf } from './rejection.ts'

const one = { work: { replicas: 1 } } as const

describe('a js() stage', () => {
  it.each(['default', 'doubleLater'])(
    'runs a function in a worker, row by row: %s',
    async (name) => {
      await using engine = await Engine.start(jsOf(name), { configuration: one })
      const { y } = await engine.infer(numbers(1, 2, 3))
      expect(y).toEqual({ type: 'float32', dims: [3], data: Float32Array.of(2, 4, 6) })
    },
  )

  it('gives a batched function all rows at once', async () => {
    const shapes = { y: { type: 'float32', dims: [] }, rows: { type: 'int64', dims: [] } } as const
    const input = { x: { from: 'request.x', type: 'float32', dims: [] } } as const
    const options = { export: 'doubleBatch', inputs: input, outputs: shapes, batched: true }
    const pipeline = definePipeline({
      stages: { work: js(functionsModule, options) },
      outputs: { y: 'work.y', rows: 'work.rows' },
    })
    await using engine = await Engine.start(pipeline, { configuration: one })
    const { y, rows } = await engine.infer(numbers(1, 2, 3))
    expect([...(y.data as Float32Array)]).toEqual([2, 4, 6])
    expect([...(rows.data as BigInt64Array)]).toEqual([3n, 3n, 3n])
  })

  it('keeps what setup(data) returned for each worker, and lets it change', async () => {
    await using engine = await Engine.start(statePipeline({ model: 'v1' }), { configuration: one })
    const first = await engine.infer(numbers(1))
    const second = await engine.infer(numbers(1))
    expect(first.calls.data[0]).toBe(1)
    expect(second.calls.data[0]).toBe(2)
    expect(second.thread.data[0]).toBe(first.thread.data[0])
    expect(second.thread.data[0]).not.toBe(0)
    expect(second.data.data).toEqual(['{"model":"v1"}'])
  })

  it('gives rows of their own shapes', async () => {
    const pipeline = definePipeline({
      stages: {
        work: js(functionsModule, {
          export: 'repeat',
          inputs: { x: { from: 'request.x', type: 'float32', dims: [] } },
          outputs: { y: { type: 'float32', dims: [-1] } },
        }),
      },
      outputs: { y: 'work.y' },
    })
    await using engine = await Engine.start(pipeline, { configuration: one })
    const { y } = await engine.infer(numbers(3, 3))
    expect(y).toEqual({ type: 'float32', dims: [2, 3], data: new Float32Array(6).fill(3) })
    expect((await engine.infer(numbers(0))).y.dims).toEqual([1, 0])
  })

  it('takes and gives strings', async () => {
    const pipeline = definePipeline({
      stages: {
        work: js(functionsModule, {
          export: 'shout',
          inputs: { text: { from: 'request.text', type: 'string', dims: [-1] } },
          outputs: { loud: { type: 'string', dims: [-1] } },
        }),
      },
      outputs: { loud: 'work.loud' },
    })
    await using engine = await Engine.start(pipeline, { configuration: one })
    const text = { type: 'string', dims: [1, 2], data: ['grün', 'λ'] } as const
    expect((await engine.infer({ text })).loud).toEqual({
      type: 'string',
      dims: [1, 2],
      data: ['GRÜN', 'Λ'],
    })
  })

  it('may be scaled up, to nothing and back', async () => {
    await using engine = await Engine.start(jsOf('default'), { configuration: one })
    await engine.scale('work', 3)
    const some = Array.from({ length: 50 }, (_, at) => engine.infer(numbers(at)))
    expect((await Promise.all(some)).map(({ y }) => y.data[0])).toEqual(some.map((_, at) => 2 * at))
    await engine.scale('work', 0)
    const waiting = engine.infer(numbers(21))
    await engine.scale('work', 1)
    expect((await waiting).y.data[0]).toBe(42)
  })
})

describe('a js() stage that cannot be opened', () => {
  it.each([
    ['setup() throws', statePipeline('throw'), /does not start: setup\(\) of .*no licence/],
    ['setup() exits', statePipeline('exit'), /exited with code 3/],
    ['the export is missing', jsOf('defualt'), /function exported as "defualt".*did you mean/],
    ['the module is missing', missing(), /importing .*nowhere\.js.*Cannot find module/],
  ])('rejects the start where %s', async (_, pipeline, message) => {
    const error = await rejectionOf(Engine.start(pipeline, { configuration: one }))
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'work' })
    expect(error.message).toMatch(message)
  })

  it('hands on what setup() threw', async () => {
    const error = await rejectionOf(Engine.start(statePipeline('throw'), { configuration: one }))
    expect(error.cause).toMatchObject({
      name: 'TypeError',
      message: 'no licence',
      code: 'E_LICENCE',
    })
    expect((error.cause as Error).stack).toContain('functions-worker.js')
  })
})

function statePipeline(data: unknown) {
  return definePipeline({
    stages: {
      work: js(functionsModule, {
        export: 'stateOf',
        inputs: { x: { from: 'request.x', type: 'float32', dims: [] } },
        outputs: {
          calls: { type: 'int32', dims: [] },
          thread: { type: 'int32', dims: [] },
          data: { type: 'string', dims: [] },
        },
        data,
      }),
    },
    outputs: { calls: 'work.calls', thread: 'work.thread', data: 'work.data' },
  })
}

function missing() {
  return definePipeline({
    stages: {
      work: js(new URL('fixtures/nowhere.js', import.meta.url), {
        inputs: { x: { from: 'request.x', type: 'float32', dims: [] } },
        outputs: { y: { type: 'float32', dims: [] } },
      }),
    },
    outputs: { y: 'work.y' },
  })
}
