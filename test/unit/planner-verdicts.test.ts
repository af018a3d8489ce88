import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../src/planner/choice.ts'
import { alike, Verdicts } from '../../src/planner/verdicts.ts'

const candidate = (...stages: [maxBatch: number, replicas: number][]): Candidate =>
  stages.map(([maxBatch, replicas]) => ({
    replicas,
    option: {
      model: undefined,
      tier: 'cpu-1',
      maxBatch,
      accuracy: 1,
      pricePerHour: 1,
      cores: 1,
      replicaMb: 0,
      modelMb: 0,
      serviceMs: new Float64Array(maxBatch + 1),
    },
  }))

const limit = { latencyMs: 100, enough: 10 }

describe('a verdict on two stages, of which one filled its batches of 8 and one formed batches of 3', () => {
  const verdicts = new Verdicts()
  verdicts.add(candidate([8, 2], [16, 4]), { ...limit, late: 7, largestBatches: [8, 3] })

  it('holds for the candidate itself', () => {
    expect(verdicts.late(candidate([8, 2], [16, 4]), limit)).toBe(7)
  })

  it.each([4, 8, 32])('holds for batches to %i of the stage that did not fill its own', (size) => {
    expect(verdicts.late(candidate([8, 2], [size, 4]), limit)).toBe(7)
  })

  it('does not hold for batches smaller than were formed', () => {
    expect(verdicts.late(candidate([8, 2], [2, 4]), limit)).toBeUndefined()
  })

  it.each([4, 16])('does not hold for batches to %i of the stage that filled its own', (size) => {
    expect(verdicts.late(candidate([size, 2], [16, 4]), limit)).toBeUndefined()
  })

  it('does not hold for other replicas', () => {
    expect(verdicts.late(candidate([8, 3], [16, 4]), limit)).toBeUndefined()
  })

  it('is counted no further than asked', () => {
    expect(verdicts.late(candidate([8, 2], [16, 4]), { ...limit, enough: 3 })).toBe(4)
  })

  it('says that no more are late of a longer limit, and nothing of a shorter', () => {
    const exceeds = (latencyMs: number) =>
      verdicts.exceeds(candidate([8, 2], [16, 4]), { ...limit, latencyMs })
    expect([exceeds(100), exceeds(120), exceeds(80)]).toEqual([false, false, undefined])
  })
})

describe('a verdict that was given up', () => {
  const verdicts = new Verdicts()
  const one = candidate([1, 1])
  verdicts.add(one, { ...limit, late: 11, largestBatches: [1] })

  it('says nothing of more late requests than were counted', () => {
    expect(verdicts.late(one, { ...limit, enough: 20 })).toBeUndefined()
    expect(verdicts.late(one, { ...limit, enough: 5 })).toBe(6)
  })

  it('says that as many are late of a shorter limit, and nothing of a longer', () => {
    const exceeds = (latencyMs: number) => verdicts.exceeds(one, { ...limit, latencyMs })
    expect([exceeds(100), exceeds(80), exceeds(120)]).toEqual([true, true, undefined])
  })
})

describe('candidates that may turn out the same', () => {
  it('are those with the same replicas, the largest batches first', () => {
    const [small, large, other] = [candidate([1, 2]), candidate([4, 2]), candidate([1, 3])]
    expect(alike([small, other, large])).toEqual([[large, small], [other]])
  })
})
