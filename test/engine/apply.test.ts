import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { cascade, digitsModel, gather, imagesOf, readDigits } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const digits = readDigits()
const start = { fast: { replicas: 1, maxBatch: 16 }, accurate: { replicas: 1, maxBatch: 16 } }
const plain = { tier: 'cpu-1', maxDelayMs: 0 }

describe('applying a configuration', () => {
  it('serves it, and what it leaves out stays as it is', async () => {
    await using engine = await Engine.start(cascade, { configuration: start })
    expect(engine.configuration).toEqual({
      fast: { ...plain, replicas: 1, maxBatch: 16 },
      accurate: { ...plain, replicas: 1, maxBatch: 16 },
    })
    const expected = await engine.infer(imagesOf(digits))
    await engine.apply({ fast: { maxBatch: 3, replicas: 2 }, accurate: { maxDelayMs: 1 } })
    expect(engine.configuration).toEqual({
      fast: { ...plain, replicas: 2, maxBatch: 3 },
      accurate: { tier: 'cpu-1', maxDelayMs: 1, replicas: 1, maxBatch: 16 },
    })
    const before = engine.stats().stages.fast.batches
    expect(await engine.infer(imagesOf(digits))).toEqual(expected)
    const { fast } = engine.stats().stages
    expect(fast.replicas).toBe(2)
    expect(fast.batches - before).toBeGreaterThanOrEqual(digits.length / 3)
  })

  it('takes a plan as well', async () => {
    await using engine = await Engine.start(gather)
    await engine.apply({ configuration: { gather: { replicas: 3 } } })
    expect(engine.configuration.gather.replicas).toBe(3)
    expect(engine.stats().stages.gather.replicas).toBe(3)
  })

  it('loads the models anew for another tier, the ones that were swapped in too', async () => {
    await using engine = await Engine.start(cascade, { configuration: start })
    await engine.swap('fast', digitsModel('accurate'))
    const expected = await engine.infer(imagesOf(digits))
    await engine.apply({ fast: { tier: 'cpu-2' }, accurate: { tier: 'cpu-2', replicas: 2 } })
    expect(await engine.infer(imagesOf(digits))).toEqual(expected)
    expect(engine.configuration.fast.tier).toBe('cpu-2')
    await engine.apply(start)
    expect(engine.configuration.fast.tier).toBe('cpu-2')
    await engine.apply({ fast: { tier: 'cpu-1' } })
    expect(await engine.infer(imagesOf(digits))).toEqual(expected)
  })

  it('changes nothing where a part of it is wrong', async () => {
    await using engine = await Engine.start(cascade, { configuration: start })
    const before = engine.configuration
    for (const wrong of [
      { fast: { maxBatch: 3 }, accurate: { maxBatch: 0 } },
      { fast: { maxBatch: 3 }, acurate: {} },
      { configuration: { fast: { tier: 'gpu' } } },
      5,
      null,
    ]) {
      const error = await rejectionOf(engine.apply(wrong as typeof start))
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    }
    expect(engine.configuration).toEqual(before)
  })

  it('changes nothing where a model is gone', async () => {
    const { mkdtempSync, copyFileSync, rmSync } = await import('node:fs')
    const { tmpdir } = await import('node:os')
    const folder = mkdtempSync(`${tmpdir()}/millrace-`)
    copyFileSync(digitsModel('fast'), `${folder}/model.onnx`)
    await using engine = await Engine.start(cascade, { configuration: start })
    await engine.swap('accurate', `${folder}/model.onnx`)
    rmSync(folder, { recursive: true })
    const before = engine.configuration
    const change = { fast: { maxBatch: 2 }, accurate: { tier: 'cpu-2' } }
    expect((await rejectionOf(engine.apply(change))).code).toBe('MILLRACE_MODEL_LOAD')
    expect(engine.configuration).toEqual(before)
    await engine.infer(imagesOf(digits))
    expect(engine.stats().stages.fast.batchRows.max).toBe(16)
  })

  it('is done in the order of the calls, with scaling and swaps', async () => {
    await using engine = await Engine.start(cascade, { configuration: start })
    const told: unknown[] = []
    engine.on('scale', ({ before, after }) => told.push(['scale', before, after]))
    engine.on('apply', ({ before, after }) =>
      told.push(['apply', before.fast.replicas, after.fast.replicas]),
    )
    engine.on('swap', ({ stage }) => told.push(['swap', stage]))
    await Promise.all([
      engine.scale('fast', 3),
      engine.apply({ fast: { replicas: 2 } }),
      engine.swap('fast', digitsModel('fast')),
      engine.scale('fast', 0),
      engine.apply({ fast: { replicas: 1 } }),
    ])
    expect(told).toEqual([
      ['scale', 1, 3],
      ['apply', 3, 2],
      ['swap', 'fast'],
      ['scale', 2, 0],
      ['apply', 0, 1],
    ])
    expect(engine.configuration.fast.replicas).toBe(1)
  })
})

describe('a listener', () => {
  it('that throws keeps nothing from happening', async () => {
    await using engine = await Engine.start(gather)
    const uncaught: unknown[] = []
    const known = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => uncaught.push(error))
    const told: number[] = []
    engine
      .on('scale', () => {
        throw new Error('from a listener')
      })
      .on('scale', ({ after }) => told.push(after))
    await engine.scale('gather', 2)
    await new Promise(setImmediate)
    for (const listener of known) process.on('uncaughtException', listener)
    expect(told).toEqual([2])
    expect(uncaught).toMatchObject([{ message: 'from a listener' }])
  })

  it('is not needed for errors', async () => {
    await using engine = await Engine.start(gather)
    await rejectionOf(engine.swap('gather', 'no-such.onnx'))
  })
})
