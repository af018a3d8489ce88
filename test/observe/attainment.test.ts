import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/engine/engine.ts'
import { Attainment, type CountedRequests, countsOf } from '../../src/observe/attainment.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'

const none: CountedRequests = {
  completed: 0,
  withinObjective: 0,
  failed: 0,
  deadlineExceeded: 0,
  queueFull: 0,
  shed: 0,
  closed: 0,
}

/** An attainment at 99 %, read at moments of the test's own. */
function attainmentAt99() {
  let atMs = 5_000
  const attainment = new Attainment({ objective: { percentile: 99 }, clock: () => atMs })
  return {
    read: (requests: Partial<CountedRequests>, afterMs: number) => {
      atMs += afterMs
      return attainment.read({ ...none, ...requests })
    },
  }
}

describe('requests that count', () => {
  it('are all that ended but the cancelled ones', () => {
    const stats = { completed: 64, withinObjective: 60, failed: 1, deadlineExceeded: 2 }
    const refused = { queueFull: 4, shed: 8, closed: 16, cancelled: 32 }
    expect(countsOf({ ...stats, ...refused })).toEqual({ requests: 95, withinObjective: 60 })
  })
})

describe('attainment', () => {
  it('is not known before requests ended', () => {
    const { lastMinute, last30Minutes } = attainmentAt99().read(none, 0)
    expect(lastMinute).toEqual({
      windowMs: 60_000,
      coveredMs: 0,
      requests: 0,
      withinObjective: 0,
      attainment: undefined,
      burnRate: undefined,
    })
    expect(last30Minutes).toEqual({ ...lastMinute, windowMs: 1_800_000 })
  })

  it('counts from the first reading', () => {
    const { read } = attainmentAt99()
    read({ completed: 1000, withinObjective: 0 }, 0)
    const { lastMinute } = read({ completed: 1100, withinObjective: 99 }, 1000)
    expect(lastMinute).toMatchObject({ coveredMs: 1000, requests: 100, attainment: 0.99 })
    expect(lastMinute.burnRate).toBeCloseTo(1, 12)
  })

  it('burns nothing without a miss, and all the faster the fewer are allowed', () => {
    const { read } = attainmentAt99()
    read(none, 0)
    expect(read({ completed: 7, withinObjective: 7 }, 1).lastMinute.burnRate).toBe(0)
    const { lastMinute } = read({ completed: 7, withinObjective: 7, queueFull: 7 }, 1)
    expect(lastMinute).toMatchObject({ attainment: 0.5, burnRate: 50 })
    const nothingLeft = attainmentAt99()
    nothingLeft.read(none, 0)
    expect(nothingLeft.read({ failed: 3 }, 1).lastMinute).toMatchObject({
      attainment: 0,
      burnRate: 100,
    })
  })

  it('forgets what is older than each window', () => {
    const { read } = attainmentAt99()
    read(none, 0)
    read({ failed: 10 }, 1000)
    for (let second = 0; second < 59; second++) read({ failed: 10 }, 1000)
    const later = { failed: 10, completed: 90, withinObjective: 90 }
    expect(read(later, 1000)).toMatchObject({
      lastMinute: { requests: 90, attainment: 1, coveredMs: 60_000 },
      last30Minutes: { requests: 100, attainment: 0.9, coveredMs: 61_000 },
    })
    for (let minute = 0; minute < 31; minute++) read(later, 60_000)
    expect(read(later, 0).last30Minutes).toMatchObject({ requests: 0, attainment: undefined })
  })

  it('covers its window to within a sixtieth where it is read often', () => {
    const { read } = attainmentAt99()
    for (let reading = 0; reading < 12_000; reading++) read({ completed: reading }, 200)
    for (let reading = 12_000; reading < 12_400; reading++) {
      const { lastMinute, last30Minutes } = read({ completed: reading }, 200)
      expect(lastMinute.coveredMs).toBeGreaterThanOrEqual(60_000)
      expect(lastMinute.coveredMs).toBeLessThanOrEqual(61_200)
      expect(last30Minutes.coveredMs).toBeGreaterThanOrEqual(1_800_000)
      expect(last30Minutes.coveredMs).toBeLessThanOrEqual(1_830_200)
      expect(lastMinute.requests).toBe(lastMinute.coveredMs / 200)
    }
  })

  it('says how far back it had to reach where it is read seldom', () => {
    const { read } = attainmentAt99()
    read(none, 0)
    read({ completed: 10, withinObjective: 10 }, 45_000)
    const { lastMinute } = read({ completed: 20, withinObjective: 15 }, 45_000)
    expect(lastMinute).toMatchObject({ coveredMs: 90_000, requests: 20, attainment: 0.75 })
    expect(read({ completed: 21, withinObjective: 16 }, 45_000).lastMinute).toMatchObject({
      coveredMs: 90_000,
      requests: 11,
    })
  })
})

describe('a live engine', () => {
  const model = new URL('../models/identity-float32.onnx', import.meta.url)

  const pipelineWithin = (latencyMs?: number) =>
    definePipeline({
      name: 'promise',
      objective: latencyMs === undefined ? undefined : { latencyMs, percentile: 90 },
      stages: { same: onnx(model, { inputs: { x: 'request.x' } }) },
      outputs: { y: 'same.y' },
    })
  const x = new Float32Array(4)

  it.each([
    ['kept', 1e6, 3],
    ['broken', 1e-5, 0],
    ['never made', undefined, 3],
  ])('counts the answers within the objective: %s', async (_, latencyMs, withinObjective) => {
    await using engine = await Engine.start(pipelineWithin(latencyMs))
    await engine.inferMany([{ x }, { x }, { x }])
    expect(engine.stats().requests).toMatchObject({ completed: 3, withinObjective })
  })
})
