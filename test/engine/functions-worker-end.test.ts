// Workers that end, or that have to be ended, in the middle of a call.
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { jsOf, numbers } from './functions.ts'
import { rejectionOf } from './rejection.ts'

const one = { work: { replicas: 1 } } as const
const good = numbers(21)
const exits = numbers(1)
const loops = numbers(2)
const neverSettles = numbers(3)
const throwsUncaught = numbers(4)

describe('a worker', () => {
  it('that exits fails its batch, saying so, and is replaced', async () => {
    await using engine = await Engine.start(jsOf('perish'), { configuration: one })
    const error = await rejectionOf(engine.infer(exits))
    expect(error.code).toBe('MILLRACE_STAGE_FAILED')
    expect(error.message).toMatch(/worker that ran .*#perish exited with code 9/)
    expect((await engine.infer(good)).y.data[0]).toBe(42)
  })

  it('that dies of an uncaught error fails its batch with the error, and is replaced', async () => {
    await using engine = await Engine.start(jsOf('perish'), { configuration: one })
    const error = await rejectionOf(engine.infer(throwsUncaught))
    expect(error.message).toContain('died: it threw Error: nobody catches this')
    expect(error.cause).toMatchObject({ message: 'nobody catches this' })
    expect((await engine.infer(good)).y.data[0]).toBe(42)
  })

  it.each([
    ['loops for ever', loops],
    ['never settles', neverSettles],
  ])('that %s fails its batch when timeoutMs is over, and is replaced', async (_, request) => {
    const pipeline = jsOf('perish', { timeoutMs: 300 })
    await using engine = await Engine.start(pipeline, { configuration: one })
    const error = await rejectionOf(engine.infer(request))
    expect(error.message).toContain('did not answer within 300 ms (timeoutMs)')
    const answers = Array.from({ length: 5 }, () => eventually(() => engine.infer(good)))
    for (const { y } of await Promise.all(answers)) expect(y.data[0]).toBe(42)
  })

  it('that exits in its first call has started all the same: scaling up does not fail', async () => {
    await using engine = await Engine.start(jsOf('perish'), { configuration: one })
    for (let round = 0; round < 5; round++) {
      await engine.scale('work', 0)
      const waiting = Array.from({ length: 6 }, () => rejectionOf(engine.infer(exits)))
      await engine.scale('work', 2)
      for (const error of await Promise.all(waiting))
        expect(error.code).toBe('MILLRACE_STAGE_FAILED')
    }
    expect((await eventually(() => engine.infer(good))).y.data[0]).toBe(42)
  }, 60_000)

  it('that exits takes nobody else with it, 100 times under load', async () => {
    const pipeline = jsOf('perish')
    const configuration = { work: { replicas: 2, maxBatch: 4 } }
    await using engine = await Engine.start(pipeline, { configuration })
    for (let kills = 0; kills < 100; kills++) {
      const others = Array.from({ length: 8 }, () => engine.infer(good))
      const killed = await rejectionOf(engine.infer(exits))
      expect(killed.code).toBe('MILLRACE_STAGE_FAILED')
      const settled = await Promise.allSettled(others)
      for (const outcome of settled) {
        if (outcome.status === 'fulfilled') expect(outcome.value.y.data[0]).toBe(42)
        else expect(outcome.reason).toMatchObject({ code: 'MILLRACE_STAGE_FAILED' })
      }
    }
    expect(engine.stats()).toMatchObject({ pendingRequests: 0, pendingRows: 0 })
    expect((await eventually(() => engine.infer(good))).y.data[0]).toBe(42)
  }, 120_000)
})

describe('closing', () => {
  it.each([
    ['loops for ever', loops],
    ['never settles', neverSettles],
  ])('ends a worker that %s', async (_, request) => {
    const engine = await Engine.start(jsOf('perish'), { configuration: one })
    const pending = rejectionOf(engine.infer(request))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await engine.close({ timeoutMs: 50 })
    expect((await pending).code).toBe('MILLRACE_CLOSED')
  })
})

/** Again while it fails because workers are being replaced. */
async function eventually<Value>(attempt: () => Promise<Value>): Promise<Value> {
  for (let left = 50; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0) throw error
    }
  }
}
