import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx } from '../../src/index.ts'
import { accurateModel, imagesOf, readDigits } from './pipelines.ts'

const digits = readDigits().slice(0, 40)

const cached = definePipeline({
  stages: {
    accurate: onnx(accurateModel, {
      inputs: { image: 'request.image' },
      cache: { maxBytes: 1 << 20 },
    }),
  },
  outputs: { label: 'accurate.label', probabilities: 'accurate.probabilities' },
})

describe('a stage with a cache', () => {
  let engine: Engine<typeof cached>
  beforeAll(async () => {
    engine = await Engine.start(cached, { warmUp: false })
  })
  afterAll(() => engine.close())

  it('answers equal rows with what it computed once, exactly', async () => {
    const infer = () => engine.infer(imagesOf(digits))
    const [first, second] = await Promise.all([infer(), infer()])
    const third = await infer()
    expect(second).toEqual(first)
    expect(third).toEqual(first)
    const { rows, cache } = engine.stats().stages.accurate
    expect(rows).toBe(digits.length)
    expect(cache?.missedRows).toBe(digits.length)
    expect((cache?.hitRows ?? 0) + (cache?.sharedRows ?? 0)).toBe(2 * digits.length)
    expect(cache?.entries).toBe(digits.length)
    expect(cache?.bytes).toBeGreaterThan(digits.length * 64 * 4)
  })

  it('forgets what the model said that was swapped', async () => {
    await engine.infer(imagesOf(digits))
    const { missedRows = 0 } = engine.stats().stages.accurate.cache ?? {}
    await engine.swap('accurate', accurateModel)
    expect(engine.stats().stages.accurate.cache?.entries).toBe(0)
    await engine.infer(imagesOf(digits))
    expect(engine.stats().stages.accurate.cache?.missedRows).toBe(missedRows + digits.length)
  })
})
