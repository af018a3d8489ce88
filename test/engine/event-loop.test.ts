import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { gather, slow, slowly } from './pipelines.ts'

describe('the event loop', () => {
  it('turns while a model runs', async () => {
    await using engine = await Engine.start(slow)
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await engine.infer(slowly(100))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
  })

  it('turns while every answer is followed by the next request', async () => {
    await using engine = await Engine.start(gather)
    const index = BigInt64Array.of(3n)
    let left = 100_000
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const next = async (): Promise<void> => {
      while (left-- > 0) await engine.infer({ index })
    }
    await Promise.all(Array.from({ length: 1000 }, next))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(10)
  })

  it('turns while models load', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const engine = await Engine.start(slow)
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
    await engine.close()
  })
})
