import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx } from '../../src/index.ts'
import { endless, identityOf, modelFile, oneByOne, slow } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const image = definePipeline({
  stages: { both: onnx(modelFile('two-inputs'), { inputs: { a: 'request.a', b: 'request.b' } }) },
  outputs: { sum: 'both.sum' },
})
const good = { a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) }

describe('inputs that do not fit', () => {
  let engine: Engine<typeof image>
  beforeAll(async () => {
    engine = await Engine.start(image, { maxPendingRows: 100 })
  })
  afterAll(() => engine.close())

  afterEach(async () => {
    expect(engine.stats()).toMatchObject({ pendingRequests: 0, pendingRows: 0 })
    expect((await engine.infer(good)).sum.data).toEqual(Float32Array.of(4, 6))
  })

  const expected = 'expected float32[?, 2] as a Float32Array'
  const tensor = { type: 'float32', dims: [1, 2], data: good.a }
  const cases: [name: string, inputs: unknown, message: string[]][] = [
    ['nothing at all', undefined, ['expected an object with a, b', 'got undefined']],
    ['null', null, ['expected an object with a, b', 'got null']],
    ['a text', 'a', ['expected an object with a, b', 'got the string "a"']],
    ['one missing', { a: good.a }, ['"b"', expected, 'got nothing']],
    ['one misspelt', { a: good.a, B: good.b }, ['no input "B"', 'did you mean "b"']],
    ['one too many', { ...good, c: good.a }, ['no input "c"', 'there are: "a", "b"']],
    ['inherited ones', Object.create(good), ['own properties']],
    ['a number', { ...good, b: 3 }, ['"b"', expected, 'got the number 3']],
    ['null for one', { ...good, b: null }, ['"b"', expected, 'got null']],
    ['a plain array', { ...good, b: [1, 2] }, ['"b"', expected, 'got an array of 2']],
    ['another class', { ...good, b: Float64Array.of(1, 2) }, [expected, 'a Float64Array of 2']],
    ['a DataView', { ...good, b: new DataView(new ArrayBuffer(8)) }, [expected, 'a DataView']],
    ['an ArrayBuffer', { ...good, b: new ArrayBuffer(8) }, [expected, 'got undefined']],
    ['another type', { ...good, b: { ...tensor, type: 'int32' } }, [expected, 'got int32 [1, 2]']],
    ['no type', { ...good, b: { ...tensor, type: undefined } }, [expected, 'got undefined [1, 2]']],
    [
      'data of another class than the type says',
      { ...good, b: { ...tensor, data: Int32Array.of(1, 2) } },
      [expected, 'float32 [1, 2] with data an Int32Array of 2'],
    ],
    ['another shape', { ...good, b: { ...tensor, dims: [1, 3] } }, [expected, 'float32 [1, 3]']],
    ['another rank', { ...good, b: { ...tensor, dims: [2] } }, [expected, 'float32 [2]']],
    ['no dims', { ...good, b: { ...tensor, dims: undefined } }, [expected, 'without dims']],
    ['dims that are text', { ...good, b: { ...tensor, dims: ['1', 2] } }, ['the string "1"']],
    ['a bare prototype in dims', { ...good, b: { ...tensor, dims: [Object.create(null), 2] } }, []],
    ['negative rows', { ...good, b: { ...tensor, dims: [-1, 2] } }, ['float32 [-1, 2]']],
    ['half a row', { ...good, b: { ...tensor, dims: [0.5, 2] } }, ['float32 [0.5, 2]']],
    ['rows without end', { ...good, b: { ...tensor, dims: [Infinity, 2] } }, ['[Infinity, 2]']],
    ['fewer elements than dims', { ...good, a: { ...tensor, dims: [2, 2] } }, ['(2 a row)']],
    ['part of a row', { ...good, b: new Float32Array(3) }, ['Float32Array of 3', '(2 a row)']],
    ['no rows', { a: new Float32Array(), b: new Float32Array() }, ['no rows; send at least one']],
    [
      'no rows in dims',
      { ...good, a: { ...tensor, dims: [0, 2], data: new Float32Array() } },
      ['no rows; send at least one'],
    ],
    [
      'rows that disagree',
      { ...good, b: new Float32Array(4) },
      ['rows of "a": 1', 'all inputs need as many rows'],
    ],
    [
      'more rows than are ever admitted',
      { a: new Float32Array(202), b: new Float32Array(202) },
      ['101 rows', '100', 'maxPendingRows'],
    ],
    [
      'the prototype of an array',
      { ...good, b: { ...tensor, data: Object.create(Float32Array.prototype) } },
      [expected],
    ],
    [
      'an array that lies about its class',
      {
        ...good,
        b: Object.defineProperty(new Int8Array(2), Symbol.toStringTag, { value: 'Float32Array' }),
      },
      [],
    ],
    ['a detached buffer', { ...good, b: detached() }, ['its buffer is detached']],
    ['a detached buffer with dims', { ...good, b: { ...tensor, data: detached() } }, ['detached']],
  ]

  it.each(cases)(
    'are refused with what was expected and what came: %s',
    async (_, inputs, parts) => {
      const error = await rejectionOf(engine.infer(inputs as never))
      expect(error.code).toBe('MILLRACE_INVALID_INPUT')
      for (const part of parts) expect(error.message).toContain(part)
    },
  )

  it('are refused when a getter sends another request meanwhile, which is answered', async () => {
    let inner: Promise<unknown> | undefined
    const inputs = {
      a: good.a,
      get b() {
        inner ??= engine.infer({ a: new Float32Array(20), b: new Float32Array(20) })
        return good.b
      },
    }
    const error = await rejectionOf(engine.infer(inputs))
    expect(error).toMatchObject({ code: 'MILLRACE_INVALID_INPUT' })
    await expect(inner).resolves.toMatchObject({ sum: { dims: [10, 2] } })
  })
})

describe('inputs of open shape', () => {
  it('need dims', async () => {
    await using engine = await Engine.start(sequence())
    const error = await rejectionOf(engine.infer({ tokens: new Float32Array(4) }))
    expect(error.message).toContain('without dims; give { type, dims, data }')
  })

  it('cannot have more rows than fit, were they empty', async () => {
    await using engine = await Engine.start(sequence())
    const tokens = { type: 'float32', dims: [2 ** 32 + 1, 0], data: new Float32Array() } as const
    expect(await rejectionOf(engine.infer({ tokens }))).toMatchObject({
      code: 'MILLRACE_INVALID_INPUT',
      message: expect.stringContaining('4294967297 rows'),
    })
  })

  it('cannot change between two looks at them', async () => {
    await using engine = await Engine.start(sequence())
    let looks = 0
    const dims = new Proxy([1, 4], {
      get: (target, key) => (key === '1' && looks++ === 0 ? 2 ** 30 : Reflect.get(target, key)),
    })
    const tokens = { type: 'float32', dims, data: new Float32Array(4) } as const
    expect(await rejectionOf(engine.infer({ tokens }))).toMatchObject({
      code: 'MILLRACE_INVALID_INPUT',
    })
  })
})

describe('strings', () => {
  it('are refused unless every element is one', async () => {
    await using engine = await Engine.start(identityOf('string'))
    for (const x of [
      ['a', 'b', 'c', 4],
      ['a', 'b', 'c'],
      new Array<string>(4),
      new Uint8Array(4),
    ]) {
      expect(await rejectionOf(engine.infer({ x: x as never }))).toMatchObject({
        code: 'MILLRACE_INVALID_INPUT',
        message: expect.stringContaining('expected string[?, 4] as an array of strings'),
      })
    }
  })

  it('are read once: an element that is a getter cannot reach the core', async () => {
    await using engine = await Engine.start(identityOf('string'))
    const inner: Promise<unknown>[] = []
    const x = ['a', 'b', 'c', 'd']
    Object.defineProperty(x, 1, {
      get: () => {
        if (inner.length === 0) inner.push(engine.infer({ x: ['w', 'x', 'y', 'z'] }))
        return 'getter'
      },
    })
    await rejectionOf(engine.infer({ x }))
    expect((await engine.infer({ x })).y.data).toEqual(['a', 'getter', 'c', 'd'])
    await Promise.all(inner)
  })
})

describe('inputs that fit', () => {
  it('may hold NaN', async () => {
    await using engine = await Engine.start(image)
    const { sum } = await engine.infer({ ...good, b: Float32Array.of(Number.NaN, 1) })
    expect(sum.data).toEqual(Float32Array.of(Number.NaN, 3))
  })

  it('may change, or be transferred away, as soon as infer has returned', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne })
    const busy = engine.infer(endless, { deadlineMs: 100 })
    const iterations = BigInt64Array.of(5n)
    const waiting = engine.infer({ iterations })
    iterations[0] = 10n ** 12n
    structuredClone(iterations, { transfer: [iterations.buffer] })
    await rejectionOf(busy)
    await engine.scale('slow', 2)
    expect((await waiting).sum.data).toEqual(BigInt64Array.of(10n))
  })

  it('may lie in shared memory, which is copied', async () => {
    await using engine = await Engine.start(image)
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([5, 6])
    const answer = engine.infer({ ...good, b: shared as never })
    shared.fill(0)
    expect((await answer).sum.data).toEqual(Float32Array.of(6, 8))
  })

  it('may lie in a resizable buffer', async () => {
    await using engine = await Engine.start(image)
    const Resizable = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer
    const b = new Float32Array(new Resizable(8, { maxByteLength: 64 }))
    b.set([5, 6])
    expect((await engine.infer({ ...good, b })).sum.data).toEqual(Float32Array.of(6, 8))
  })

  it('may come from another realm', async () => {
    await using engine = await Engine.start(image)
    const b = runInNewContext('Float32Array.of(5, 6)') as Float32Array
    expect((await engine.infer({ ...good, b })).sum.data).toEqual(Float32Array.of(6, 8))
  })
})

function sequence() {
  return definePipeline({
    stages: {
      twice: onnx(modelFile('dynamic-sequence'), { inputs: { tokens: 'request.tokens' } }),
    },
    outputs: { doubled: 'twice.doubled' },
  })
}

function detached(): Float32Array {
  const array = new Float32Array(2)
  structuredClone(array, { transfer: [array.buffer] })
  return array
}
