import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { slow, slowly } from './pipelines.ts'

describe('the event loop', () => {
  it('turns while a model runs', async () => {
    await using engine = await Engine.start(slow)
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await engine.infer(slowly(100))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(0)
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
