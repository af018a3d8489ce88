// What functions can do wrong, and what becomes of the requests.
import { describe, expect, it } from 'vitest'
import { Engine, type MillraceError } from '../../src/index.ts'
import { inlineOf, jsOf, numbers } from './functions.ts'
import { rejectionOf } from './rejection.ts'

const one = { work: { replicas: 1, maxBatch: 16 } } as const
const none = { work: { replicas: 0, maxBatch: 16 } } as const

describe('a function that throws', () => {
  it('fails the row alone, with name, message, stack, code and cause of what it threw', async () => {
    await using engine = await Engine.start(jsOf('poisoned'), { configuration: one })
    const error = await rejectionOf(engine.infer(numbers(-5)))
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'work' })
    expect(error.message).toMatch(/stage "work" failed: .*#poisoned threw RangeError: poison -5/)
    const cause = error.cause as Error
    expect(cause).toMatchObject({ name: 'RangeError', message: 'poison -5', code: 'E_POISON' })
    expect(cause.stack).toContain('at poisoned (')
    expect(cause.cause).toMatchObject({ message: 'deep' })
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('fails row %d of a batch, and no other', async (guilty) => {
    await using engine = await Engine.start(jsOf('poisoned'), { configuration: none })
    const requests = Array.from({ length: 8 }, (_, at) =>
      outcomeOf(engine.infer(numbers(at === guilty ? -1 : at))),
    )
    await engine.scale('work', 1)
    const outcomes = await Promise.all(requests)
    const wanted = outcomes.map((_, at) => (at === guilty ? 'MILLRACE_STAGE_FAILED' : at))
    expect(outcomes).toEqual(wanted)
    expect(engine.stats().stages.work).toMatchObject({ batches: 1, failedRows: 1, rows: 7 })
  })

  it('fails the guilty row of a batched function, found by halving', async () => {
    const outcomes = await batchOf(jsOf('poisonedBatch', { batched: true }))
    expect(outcomes).toEqual([0, 1, 'MILLRACE_STAGE_FAILED', 3])
  })

  it('fails the whole batch where it is not to be run again', async () => {
    const outcomes = await batchOf(jsOf('poisonedBatch', { batched: true, isolate: false }))
    expect(new Set(outcomes)).toEqual(new Set(['MILLRACE_STAGE_FAILED']))
  })

  it('may throw anything', async () => {
    await using engine = await Engine.start(jsOf('throwsText'), { configuration: one })
    expect((await rejectionOf(engine.infer(numbers(1)))).message).toContain(
      'threw the string "just text"',
    )
    expect((await rejectionOf(engine.infer(numbers(0)))).message).toContain('threw undefined')
  })

  it('fails a request of many rows once', async () => {
    await using engine = await Engine.start(jsOf('poisoned'), { configuration: one })
    expect((await rejectionOf(engine.infer(numbers(1, -2, 3, -4)))).message).toContain('poison -2')
    expect((await engine.infer(numbers(1, 2))).y.data).toEqual(Float32Array.of(1, 2))
  })
})

describe('a function that returns', () => {
  it.each([
    ['nothing', () => undefined, /returned undefined, expected an object with its outputs/],
    ['text', () => 'text', /returned the string "text", expected an object/],
    ['no such output', () => ({}), /output "y": expected float32\[2\].*got undefined/],
    ['another type', () => ({ y: { type: 'int32', dims: [2], data: new Int32Array(2) } }), /int32/],
    ['too many rows', () => ({ y: new Float32Array(3) }), /expected float32\[2\].*got 3 elements/],
    ['too few', () => ({ y: { type: 'float32', dims: [1], data: new Float32Array(1) } }), /\[1\]/],
    ['a promise of nothing', async () => null, /returned null/],
    ['other dims', () => ({ y: { type: 'float32', dims: [2, 1], data: [] } }), /expected float32/],
    [
      'dims that lie',
      () => ({ y: { type: 'float32', dims: [2], data: new Float32Array(9) } }),
      /9/,
    ],
  ])('%s fails its rows, and says what was expected and found', async (_, run, message) => {
    const pipeline = inlineOf(run as never, { isolate: false })
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.infer(numbers(1, 2)))
    expect(error.code).toBe('MILLRACE_STAGE_FAILED')
    expect(error.message).toMatch(message)
  })

  it.each([
    [1, '1'],
    ['5', '"5"'],
    [5n, '5n'],
    [true, 'true'],
  ])('a plain value for a row may not be of another kind: %s', async (value, found) => {
    const pipeline = inlineOf(() => ({ y: value }) as never, { batched: false })
    await using engine = await Engine.start(pipeline)
    if (value === 1) return expect((await engine.infer(numbers(0))).y.data[0]).toBe(1)
    expect((await rejectionOf(engine.infer(numbers(0)))).message).toContain(found)
  })
})

async function batchOf(pipeline: ReturnType<typeof jsOf>) {
  await using engine = await Engine.start(pipeline, { configuration: none })
  const requests = [0, 1, -2, 3].map((value) => outcomeOf(engine.infer(numbers(value))))
  await engine.scale('work', 1)
  return Promise.all(requests)
}

function outcomeOf(promise: Promise<{ readonly y: { readonly data: ArrayLike<unknown> } }>) {
  return promise.then(
    ({ y }) => y.data[0],
    (error: MillraceError) => error.code,
  )
}
