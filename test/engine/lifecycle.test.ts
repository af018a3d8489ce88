import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import {
  cascade,
  endless,
  gather,
  imagesOf,
  oneByOne,
  readDigits,
  slow,
  slowly,
} from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const index = BigInt64Array.of(3n)

describe('closing an engine', () => {
  it('answers what was accepted and refuses the rest', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const accepted = [engine.infer(slowly(20)), engine.infer(slowly(1))]
    const closing = engine.close()
    expect(await rejectionOf(engine.infer(slowly(1)))).toMatchObject({
      code: 'MILLRACE_CLOSED',
      status: 503,
    })
    expect(await Promise.all(accepted)).toHaveLength(2)
    await closing
    expect(await rejectionOf(engine.infer(slowly(1)))).toMatchObject({ code: 'MILLRACE_CLOSED' })
    expect(await rejectionOf(engine.scale('slow', 1))).toMatchObject({ code: 'MILLRACE_CLOSED' })
  })

  it('happens once, however often it is asked for', async () => {
    const engine = await Engine.start(gather)
    await Promise.all([engine.close(), engine.close(), engine[Symbol.asyncDispose]()])
    await engine.close()
    expect(engine.stats().stages.gather.replicas).toBe(0)
  })

  it('interrupts a run when the time is up', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const open = [engine.infer(endless), engine.infer(endless)].map(rejectionOf)
    const startMs = performance.now()
    await engine.close({ timeoutMs: 20 })
    expect(performance.now() - startMs).toBeLessThan(1000)
    for (const error of await Promise.all(open)) {
      expect(error.code).toBe('MILLRACE_CLOSED')
      expect(error.message).toContain('closed before the request was answered')
    }
    expect(engine.stats()).toMatchObject({ pendingRequests: 0, requests: { closed: 2 } })
  })

  it('interrupts a run whose request was cancelled: nobody waits for it', async () => {
    const engine = await Engine.start(slow)
    const error = rejectionOf(engine.infer(endless, { deadlineMs: 10 }))
    expect(await error).toMatchObject({ code: 'MILLRACE_DEADLINE_EXCEEDED' })
    const startMs = performance.now()
    await engine.close()
    expect(performance.now() - startMs).toBeLessThan(1000)
  })

  it('follows from leaving the scope', async () => {
    let left: Engine<typeof gather>
    {
      await using engine = await Engine.start(gather)
      await engine.infer({ index })
      left = engine
    }
    expect(await rejectionOf(left.infer({ index }))).toMatchObject({ code: 'MILLRACE_CLOSED' })
  })
})

describe('draining an engine', () => {
  it('waits for what was accepted, refuses the rest, and leaves it to be closed', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    let answered = 0
    const accepted = Array.from({ length: 5 }, () => engine.infer(slowly(5)).then(() => answered++))
    const drained = engine.drain().then(() => answered)
    expect(await rejectionOf(engine.infer(slowly(1)))).toMatchObject({ code: 'MILLRACE_CLOSED' })
    await Promise.all(accepted)
    expect(await drained).toBe(5)
    await engine.drain()
    await engine.close()
  })

  it('waits for nothing when nothing is pending', async () => {
    await using engine = await Engine.start(gather)
    await engine.drain()
  })
})

describe('scaling a stage', () => {
  it('up, down, to nothing and back loses no request', async () => {
    await using engine = await Engine.start(cascade)
    const digits = readDigits()
    const expected = await engine.infer(imagesOf(digits))
    const answers: Promise<unknown>[] = []
    for (const replicas of [3, 1, 0, 2, 0, 1]) {
      for (const [at, digit] of digits.entries()) {
        const request = engine.infer(imagesOf([digit]))
        answers.push(
          request.then(({ label }) => expect(label.data[0]).toBe(expected.label.data[at])),
        )
      }
      await Promise.all([engine.scale('fast', replicas), engine.scale('accurate', replicas)])
      expect(engine.stats().stages.fast.replicas).toBe(replicas)
    }
    await Promise.all(answers)
    expect(engine.stats().requests).toMatchObject({ completed: 6 * 240 + 1, failed: 0 })
  })

  it('to nothing lets requests wait', async () => {
    await using engine = await Engine.start(gather, { configuration: { gather: { replicas: 0 } } })
    let answered = false
    const request = engine.infer({ index }).then(() => {
      answered = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(answered).toBe(false)
    expect(engine.stats().stages.gather).toMatchObject({ replicas: 0, waitingRows: 1 })
    await engine.scale('gather', 1)
    await request
  })

  it('is done in the order of the calls, so that the last one counts', async () => {
    await using engine = await Engine.start(gather)
    for (let round = 0; round < 20; round++) {
      const counts = [4, 0, 3, 1, 2]
      await Promise.all(counts.map((replicas) => engine.scale('gather', replicas)))
      expect(engine.stats().stages.gather.replicas).toBe(2)
    }
  })

  it('while the engine closes ends with it', async () => {
    const engine = await Engine.start(gather)
    const scaling = [5, 0, 6].map((replicas) => engine.scale('gather', replicas))
    const closing = engine.close()
    const outcomes = await Promise.allSettled(scaling)
    await closing
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('MILLRACE_CLOSED')
    }
    expect(engine.stats().stages.gather.replicas).toBe(0)
  })

  it('of several threads a replica loads the model again and serves the same', async () => {
    await using engine = await Engine.start(gather, {
      configuration: { gather: { tier: 'cpu-2', replicas: 1 } },
    })
    await engine.scale('gather', 2)
    expect((await engine.infer({ index })).square.data[0]).toBe(9)
  })
})

describe('statistics', () => {
  it('add up', async () => {
    await using engine = await Engine.start(cascade)
    const digits = readDigits()
    await engine.inferMany(digits.map((digit) => imagesOf([digit])))
    await engine.infer(imagesOf(digits))
    await rejectionOf(engine.infer(imagesOf(digits), { deadlineMs: 0 }))
    const { requests, stages, latencyMs, ...now } = engine.stats()
    expect(now).toMatchObject({ pendingRequests: 0, pendingRows: 0 })
    expect(requests).toEqual({
      completed: 241,
      withinObjective: 241,
      failed: 0,
      deadlineExceeded: 1,
      queueFull: 0,
      shed: 0,
      cancelled: 0,
      closed: 0,
    })
    expect(latencyMs.count).toBe(241)
    for (const stage of Object.values(stages)) {
      expect(stage.batchRows.count).toBe(stage.batches)
      expect(stage.serviceMs.count).toBe(stage.batches)
      expect(stage.queueMs.count).toBe(stage.rows)
      expect(stage.batchRows.mean * stage.batches).toBeCloseTo(stage.rows, 3)
      expect(stage.batchRows.max).toBeLessThanOrEqual(16)
      expect(stage.queueMs.p50).toBeLessThanOrEqual(stage.queueMs.p99)
      expect(stage.waitingRows).toBe(0)
    }
    expect(stages.fast.rows).toBe(480)
  })

  it('can be read after the engine was closed', async () => {
    const engine = await Engine.start(gather)
    await engine.infer({ index })
    await engine.close()
    expect(engine.stats()).toMatchObject({ pendingRequests: 0, requests: { completed: 1 } })
  })
})

describe('two engines of one pipeline', () => {
  it('do not know of each other', async () => {
    await using one = await Engine.start(gather)
    const other = await Engine.start(gather)
    await Promise.all([one.infer({ index }), other.infer({ index })])
    await other.close()
    expect((await one.infer({ index })).square.data[0]).toBe(9)
    expect(one.stats().requests.completed).toBe(2)
  })
})
