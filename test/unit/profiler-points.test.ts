import { describe, expect, it } from 'vitest'
import { batchSizes, measureStage } from '../../src/profile/measure-stage.ts'
import { median, paysOff, toPoints, undisturbed } from '../../src/profile/points.ts'

function measured(batch: number, ...blocks: readonly (readonly number[])[]) {
  return { batch, blocks }
}

describe('points', () => {
  it('hold mean, median, p99 and quantiles of all runs', () => {
    const runs = Array.from({ length: 101 }, (_, at) => at + 1)
    const [point] = toPoints([measured(1, runs)])
    expect(point).toMatchObject({ batch: 1, meanMs: 51, p50Ms: 51, p99Ms: 100, runs: 101 })
    expect(point?.quantilesMs).toHaveLength(21)
    expect(point?.quantilesMs?.slice(0, 3)).toEqual([1, 6, 11])
    expect(point?.quantilesMs?.at(-1)).toBe(101)
  })

  it('leave out a larger batch without more throughput than the one before it', () => {
    const points = toPoints([measured(1, [1]), measured(2, [2.5]), measured(4, [3])])
    expect(points.map(({ batch }) => batch)).toEqual([1, 4])
  })

  it('take a batch for no slower than a larger one', () => {
    const points = toPoints([measured(1, [3, 3, 9]), measured(2, [2, 2, 4]), measured(4, [4, 5])])
    expect(points.map(({ batch, meanMs }) => [batch, meanMs])).toEqual([
      [1, 2.66667],
      [2, 2.66667],
      [4, 4.5],
    ])
    expect(points.map(({ p50Ms, p99Ms }) => (p50Ms ?? 0) <= p99Ms)).toEqual([true, true, true])
  })

  it('leave out blocks that something else disturbed, and keep what is far out within the others', () => {
    const quiet = [1, 1, 1, 3]
    const blocks = [quiet, [9, 9, 9, 9], quiet, quiet, [2, 2, 2, 2]]
    expect(undisturbed(blocks)).toEqual([quiet, quiet, quiet])
    expect(toPoints([measured(1, ...blocks)])[0]).toMatchObject({ meanMs: 1.5, runs: 12 })
  })

  it('pay off above 3 % more throughput', () => {
    expect(paysOff(measured(1, [1]), measured(2, [1.94]))).toBe(true)
    expect(paysOff(measured(1, [1]), measured(2, [1.95]))).toBe(false)
    expect(median([4, 1, 3, 2])).toBe(2)
  })
})

/** A stage whose batches take `serviceMs`, and what was asked of it. */
function stage(serviceMs: (batch: number) => number) {
  const sizes: number[] = []
  let batch = 0
  return {
    sizes,
    setUp: (next: number) => {
      batch = next
      sizes.push(next)
      return Promise.resolve()
    },
    run: () => Promise.resolve({ serviceMs: serviceMs(batch) }),
  }
}

const limits = { maxBatch: 64, minRuns: 20, maxPointMs: 1000 }

describe('measuring a stage', () => {
  it('tries 1, 2, 4, … and the largest', () => {
    expect(batchSizes(1)).toEqual([1])
    expect(batchSizes(8)).toEqual([1, 2, 4, 8])
    expect(batchSizes(12)).toEqual([1, 2, 4, 8, 12])
  })

  it('looks at every size in blocks, one after the other', async () => {
    const fast = stage(() => 1)
    const found = await measureStage(fast, { ...limits, maxBatch: 4 }, () => {})
    expect(fast.sizes).toEqual([1, 2, 4, 1, 2, 4, 1, 2, 4, 1, 2, 4, 1, 2, 4])
    expect(found.map(({ blocks }) => blocks.length)).toEqual([5, 5, 5])
  })

  it('stops where batching no longer pays, once it has looked twice', async () => {
    const linear = stage((batch) => 1 + Math.max(1, batch / 4))
    const found = await measureStage(linear, { ...limits, maxBatch: 4096 }, () => {})
    expect(found.map(({ batch }) => batch)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256])
    expect(linear.sizes.slice(6, 11)).toEqual([64, 128, 256, 128, 256])
  })

  it('leaves out runs whose rows were not one batch, and gives up where none are', async () => {
    let runs = 0
    const odd = { ...stage(() => 1), run: async () => (runs++ % 2 ? undefined : { serviceMs: 1 }) }
    const [found] = await measureStage(odd, { ...limits, maxBatch: 1 }, () => {})
    expect(found?.blocks.flat().every((ms) => ms === 1)).toBe(true)
    const never = { ...stage(() => 1), run: () => Promise.resolve(undefined) }
    await expect(measureStage(never, limits, () => {})).rejects.toMatchObject({
      code: 'MILLRACE_STAGE_FAILED',
    })
  })
})
