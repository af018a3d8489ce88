import { readFileSync } from 'node:fs'
import { setImmediate as setImmediately } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx } from '../../src/index.ts'
import {
  cascade,
  digitsModel,
  endless,
  fastAlone,
  gather,
  identityOf,
  imagesOf,
  modelFile,
  oneByOne,
  readDigits,
  slow,
  slowly,
} from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const digits = readDigits()
const index = BigInt64Array.of(3n)
const labelsOf = async (engine: Engine<typeof fastAlone>) =>
  [...(await engine.infer(imagesOf(digits))).label.data].map(Number)

describe('swapping the model of a stage', () => {
  it('serves the new model from then on, from a path, a URL or bytes', async () => {
    await using engine = await Engine.start(fastAlone)
    const fast = await labelsOf(engine)
    await engine.swap('fast', digitsModel('accurate'))
    const accurate = await labelsOf(engine)
    expect(accurate).not.toEqual(fast)
    await engine.swap('fast', { source: digitsModel('fast').pathname })
    expect(await labelsOf(engine)).toEqual(fast)
    await engine.swap('fast', readFileSync(digitsModel('accurate')))
    expect(await labelsOf(engine)).toEqual(accurate)
    expect(engine.stats().stages.fast.rows).toBe(4 * digits.length)
  })

  it('under load answers every request, from the old model or the new one', async () => {
    await using engine = await Engine.start(fastAlone)
    const known = [await labelsOf(engine)]
    await engine.swap('fast', digitsModel('accurate'))
    known.push(await labelsOf(engine))
    let swapping = true
    let answered = 0
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let at = client; swapping; at = (at + 8) % digits.length) {
        const { label } = await engine.infer(imagesOf(digits.slice(at, at + 1)))
        expect(known.map((labels) => labels[at])).toContain(Number(label.data[0]))
        answered++
      }
    })
    for (const model of ['fast', 'accurate', 'fast', 'accurate', 'fast'] as const) {
      await engine.swap('fast', digitsModel(model))
    }
    swapping = false
    await Promise.all(clients)
    expect(await labelsOf(engine)).toEqual(known[0])
    expect(engine.stats().requests).toMatchObject({ completed: answered + 3, failed: 0 })
  })

  it('leaves the stage alone that shared its session', async () => {
    const image = { inputs: { image: 'request.image' } } as const
    const [one, other] = [onnx(digitsModel('fast'), image), onnx(digitsModel('fast'), image)]
    const twice = definePipeline({
      stages: { one, other },
      outputs: { first: 'one.label', second: 'other.label' },
    })
    await using engine = await Engine.start(twice)
    const before = await engine.infer(imagesOf(digits))
    await engine.swap('one', digitsModel('accurate'))
    const { first, second } = await engine.infer(imagesOf(digits))
    expect(second.data).toEqual(before.second.data)
    expect(first.data).not.toEqual(before.first.data)
  })

  it.each([
    ['missing', modelFile('no-such'), 'MILLRACE_MODEL_LOAD'],
    ['broken', modelFile('broken-truncated'), 'MILLRACE_MODEL_LOAD'],
    ['of other inputs', modelFile('two-inputs'), 'MILLRACE_INVALID_PIPELINE'],
    ['of other types', modelFile('identity-float32'), 'MILLRACE_INVALID_PIPELINE'],
  ])('to one that is %s keeps the old one', async (_, source, code) => {
    await using engine = await Engine.start(fastAlone)
    const before = await labelsOf(engine)
    const told: string[] = []
    engine.on('error', (error) => told.push(error.code))
    expect((await rejectionOf(engine.swap('fast', source))).code).toBe(code)
    expect(told).toEqual([code])
    expect(await labelsOf(engine)).toEqual(before)
  })

  it('names what does not fit', async () => {
    await using engine = await Engine.start(identityOf('float32'))
    const error = await rejectionOf(engine.swap('same', modelFile('identity-float64')))
    expect(error.message).toMatch(
      /stage "same" .*float64.*expected input "x", float32\[.*found "x", float64/,
    )
  })

  it.each([
    ['an unknown stage', () => ['quick', digitsModel('fast')]],
    ['something that is no model', () => ['fast', 5]],
    ['a signal that is none', () => ['fast', { source: digitsModel('fast'), signal: {} }]],
  ])('refuses %s', async (_, given) => {
    await using engine = await Engine.start(fastAlone)
    const [stage, model] = given() as ['fast', URL]
    expect((await rejectionOf(engine.swap(stage, model))).code).toMatch(/MILLRACE_INVALID/)
  })

  it('is given up when its signal is aborted, and keeps the old one', async () => {
    await using engine = await Engine.start(gather)
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const signals = [AbortSignal.abort(reason), controller.signal]
    const swaps = signals.map((signal) =>
      rejectionOf(engine.swap('gather', { source: modelFile('slow-load'), signal })),
    )
    setTimeout(() => controller.abort(reason), 50)
    for (const swap of swaps) {
      expect(await swap).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: reason })
    }
    expect((await engine.infer({ index })).square.data[0]).toBe(9)
  })

  it('tells who listens, before and after', async () => {
    await using engine = await Engine.start(fastAlone)
    const swaps: { stage: string; before: string; after: string }[] = []
    const listener = (event: (typeof swaps)[number]) => swaps.push(event)
    engine.on('swap', listener)
    await engine.swap('fast', digitsModel('accurate'))
    await engine.swap('fast', readFileSync(digitsModel('fast')))
    engine.off('swap', listener)
    await engine.swap('fast', digitsModel('fast'))
    expect(swaps).toEqual([
      {
        stage: 'fast',
        before: digitsModel('fast').pathname,
        after: digitsModel('accurate').pathname,
      },
      {
        stage: 'fast',
        before: digitsModel('accurate').pathname,
        after: expect.stringMatching(/^\d+ bytes$/),
      },
    ])
  })
})

describe('closing an engine that changes', () => {
  it('ends a swap that loads, quickly', async () => {
    const engine = await Engine.start(gather)
    const swap = rejectionOf(engine.swap('gather', modelFile('slow-load')))
    const queued = rejectionOf(engine.swap('gather', modelFile('gather')))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await engine.close()
    expect((await swap).code).toBe('MILLRACE_CLOSED')
    expect((await queued).code).toBe('MILLRACE_CLOSED')
  })

  it('ends a swap that waits for a batch of the old model', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const request = rejectionOf(engine.infer(endless))
    while (engine.stats().stages.slow.waitingRows > 0) await setImmediately()
    const swap = engine.swap('slow', modelFile('slow')).then(
      () => 'done',
      (error: { code: string }) => error.code,
    )
    // The new replica serves beside the old one.
    expect(Number((await engine.infer(slowly(1))).sum.data[0])).toBe(2000)
    await engine.close({ timeoutMs: 20 })
    expect((await request).code).toBe('MILLRACE_CLOSED')
    expect(await swap).toBe('MILLRACE_CLOSED')
    expect(engine.stats().stages.slow.replicas).toBe(0)
  })

  it('refuses every change from then on', async () => {
    const engine = await Engine.start(cascade)
    const closing = engine.close()
    for (const change of [
      engine.swap('fast', digitsModel('fast')),
      engine.apply({ fast: { maxBatch: 2 } }),
      engine.scale('fast', 2),
    ]) {
      expect((await rejectionOf(change)).code).toBe('MILLRACE_CLOSED')
    }
    await closing
  })
})
