import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { errorOf } from '../unit/thrown.ts'
import { cascade, imagesOf, readDigits } from './pipelines.ts'

const bounds = { latencyMs: [1, 10, 1e9], stageMs: [0.5, 1e9], batchRows: [0, 1, 2, 4, 16] }

describe('histograms', () => {
  it('count what the statistics summarize', async () => {
    await using engine = await Engine.start(cascade)
    await engine.inferMany(readDigits().map((digit) => imagesOf([digit])))
    const { latencyMs, stages } = engine.histograms(bounds)
    const stats = engine.stats()
    expect(latencyMs.count).toBe(240)
    expect(latencyMs.upTo).toHaveLength(3)
    expect(latencyMs.upTo[2]).toBe(240)
    expect(latencyMs.sum).toBeCloseTo(stats.latencyMs.mean * 240, 6)
    for (const name of ['fast', 'accurate'] as const) {
      const { queueMs, serviceMs, batchRows } = stages[name]
      expect(queueMs.count).toBe(stats.stages[name].rows)
      expect(serviceMs).toMatchObject({ count: stats.stages[name].batches })
      expect(batchRows).toMatchObject({ sum: stats.stages[name].rows })
      expect(batchRows.upTo).toEqual(batchRows.upTo.toSorted((a, b) => a - b))
      expect([batchRows.upTo[0], batchRows.upTo[4]]).toEqual([0, batchRows.count])
    }
  })

  it('are there after the engine is closed', async () => {
    const engine = await Engine.start(cascade)
    await engine.infer(imagesOf(readDigits()))
    await engine.close()
    expect(engine.histograms(bounds).latencyMs.count).toBe(1)
  })

  it.each([
    [null, 'bounds: expected a plain object, got null'],
    [{ ...bounds, rows: [] }, 'bounds: unknown key "rows"'],
    [
      { ...bounds, stageMs: undefined },
      'bounds.stageMs: expected an array of at most 1024 numbers',
    ],
    [{ ...bounds, latencyMs: [1, 1] }, 'in ascending order, got 1 after 1'],
    [{ ...bounds, batchRows: [-1] }, 'bounds.batchRows[0]: expected a finite number at least 0'],
    [{ ...bounds, batchRows: [Number.NaN] }, 'got the number NaN'],
    [{ ...bounds, batchRows: [Infinity] }, 'got the number Infinity'],
  ])('refuse bounds that are none: %j', async (given, message) => {
    await using engine = await Engine.start(cascade)
    expect(errorOf(() => engine.histograms(given as typeof bounds))).toMatchObject({
      code: 'MILLRACE_INVALID_OPTION',
      message: expect.stringContaining(message),
    })
  })
})
