import { describe, expect, it } from 'vitest'
import { normalQuantile } from '../../src/estimator/normal-quantile.ts'
import { spreadOf } from '../../src/estimator/spread.ts'
import { StageServices } from '../../src/estimator/stage-services.ts'
import type { Profile } from '../../src/profile/profile.ts'
import { configurationOf, hardware, profileOf, stage, tier } from './estimator-profiles.ts'
import { errorOf } from './thrown.ts'

const means = { drawn: false } as const

function servicesOf(profile: Profile): StageServices {
  return new StageServices({ profile, hardware, stages: Object.keys(profile.stages) })
}

describe('the service of a stage', () => {
  const profile = profileOf({
    fast: {
      scaleFactor: 1,
      hopMs: 0.25,
      tiers: { 'cpu-4': { ...tier({ 1: 2, 8: 4 }), wakeMs: 0.5 }, k80: tier({ 1: 1 }) },
    },
    ask: { ...stage({ 1: 50 }), kind: 'inline' },
  })
  const services = servicesOf(profile)

  it('is what was profiled of its tier', () => {
    const configuration = configurationOf({
      fast: { tier: 'cpu-4', maxBatch: 5, replicas: 3, maxDelayMs: 2 },
      ask: {},
    })
    const [fast] = services.of(configuration, means)
    expect(fast?.native).toEqual({
      latency: [1, 2, 8, 4],
      spread: [],
      hopMs: 0.25,
      wakeMs: 0.5,
      threads: 4,
      device: 0,
      maxBatch: 5,
      maxDelayMs: 2,
    })
  })

  it('keeps no core busy on an accelerator, or where it waits for others', () => {
    const configuration = configurationOf({ fast: { tier: 'k80' }, ask: {} })
    const threads = services.of(configuration, means).map(({ native }) => native.threads)
    expect(threads).toEqual([0, 0])
  })

  it('is the same however often it is asked for, with as many replicas as are asked for', () => {
    const counts = [1, 7, 1].map((replicas) => {
      const configuration = configurationOf({ fast: { tier: 'k80', replicas }, ask: {} })
      return services.of(configuration, means)[0]
    })
    expect(counts.map((service) => service?.replicas)).toEqual([1, 7, 1])
    expect(new Set(counts.map((service) => service?.native)).size).toBe(1)
  })
})

describe('a configuration', () => {
  const profile = profileOf({
    fast: { scaleFactor: 1, tiers: { 'cpu-1': tier({ 1: 2, 8: 4 }), tpu: tier({ 1: 1 }) } },
    pick: {
      scaleFactor: 1,
      models: { small: { accuracy: 0.8, tiers: { 'cpu-1': tier({ 1: 1 }) } } },
    },
    late: stage({ 2: 3 }, { scaleFactor: 0.5 }),
  })
  const services = servicesOf(profile)
  const good = configurationOf({ fast: {}, pick: { model: 'small' } })

  it.each<[string, object, RegExp]>([
    ['names an unknown stage', { fost: {} }, /has no stage "fost"; did you mean "fast"/],
    [
      'lacks a stage',
      { late: undefined },
      /an entry for each stage of the profile, got none for "late"/,
    ],
    ['has a key too many', { fast: { batch: 3 } }, /configuration\.fast: unknown key "batch"/],
    ['is no object', { fast: 3 }, /configuration\.fast: expected a plain object, got the number 3/],
    [
      'takes a tier that was not profiled',
      { fast: { tier: 'k80' } },
      /configuration\.fast\.tier: expected a tier that the stage was profiled on, got the string "k80"; there are: "cpu-1", "tpu"/,
    ],
    [
      'takes a tier without a price',
      { fast: { tier: 'tpu' } },
      /configuration\.fast\.tier: "tpu" has no price in the hardware; add it there, or take one of "cpu-1"/,
    ],
    [
      'takes larger batches than were profiled',
      { fast: { maxBatch: 9 } },
      /configuration\.fast\.maxBatch: expected an integer from 1 to 8, got the number 9; no larger batch was profiled on "cpu-1"/,
    ],
    [
      'has no replicas',
      { fast: { replicas: 0 } },
      /fast\.replicas: expected an integer at least 1/,
    ],
    ['holds batches for ever', { fast: { maxDelayMs: 1e6 } }, /fast\.maxDelayMs: expected/],
    [
      'takes a model where there is none to choose',
      { fast: { model: 'small' } },
      /configuration\.fast\.model: the stage has no models to choose from; leave it out/,
    ],
    [
      'takes an unknown model',
      { pick: { model: 'smell' } },
      /pick\.model: expected one of the stage's models, got the string "smell"; did you mean "small"/,
    ],
    [
      'chooses no model',
      { pick: {} },
      /pick\.model: expected one of the stage's models, got undefined/,
    ],
  ])('is refused that %s', (_, change, message) => {
    const plain = { tier: 'cpu-1', maxBatch: 1, replicas: 1 }
    const all = Object.entries({ ...good, late: plain, ...change })
    const changed = all.flatMap(([name, value]) => {
      if (value === undefined) return []
      return [[name, typeof value === 'object' ? Object.assign({}, plain, value) : value] as const]
    })
    const error = errorOf(() => services.of(Object.fromEntries(changed), means))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toMatch(message)
  })

  it('cannot be estimated where batches of one were not profiled', () => {
    const error = errorOf(() => services.of({ ...good, ...configurationOf({ late: {} }) }, means))
    expect(error.code).toBe('MILLRACE_INVALID_FILE')
    expect(error.message).toMatch(/stage "late", tier "cpu-1": expected a first point of batch 1/)
  })
})

describe('the spread of service times', () => {
  const point = (meanMs: number, p99Ms: number, quantilesMs?: readonly number[]) => {
    return { batch: 1, meanMs, p99Ms, quantilesMs }
  }

  it('is none where nothing varies', () => {
    expect(spreadOf([point(4, 4)], 1)).toEqual([])
    expect(spreadOf([point(0, 0)], 1)).toEqual([])
  })

  it.each([1.05, 1.5, 3, 10])('is lognormal with the mean, and p99 over the mean, %d', (p99) => {
    const spread = spreadOf([point(4, 4 * p99)], 1)
    expect(meanOf(spread)).toBeCloseTo(1, 9)
    expect((spread[99] ?? 0) / p99).toBeCloseTo(1, 3)
    const sigma = normalQuantile(0.99) - Math.sqrt(normalQuantile(0.99) ** 2 - 2 * Math.log(p99))
    expect((spread[50] ?? 0) / Math.exp(-(sigma ** 2) / 2)).toBeCloseTo(1, 3)
    expect(spread).toEqual([...spread].sort((left, right) => left - right))
  })

  it('ends where no lognormal distribution has such a p99', () => {
    const spread = spreadOf([point(1, 1000)], 1)
    expect(spread.every(Number.isFinite)).toBe(true)
    expect(meanOf(spread)).toBeCloseTo(1, 9)
  })

  it('is what was measured, without what a single outlier makes of the last step', () => {
    const quantilesMs = [...Array.from({ length: 20 }, (_, at) => 9 + at / 10), 100]
    const spread = spreadOf([point(10, 11, quantilesMs)], 1)
    expect(meanOf(spread)).toBeCloseTo(1, 9)
    expect(spread[50]).toBeCloseTo(1, 1)
    expect(spread[100]).toBeLessThan(1.5)
  })

  it('is an average of the batches that may be formed', () => {
    const points = [
      { ...point(10, 10, [8, 10, 12]), batch: 1 },
      { ...point(10, 10, [10, 10, 10]), batch: 2 },
      { ...point(10, 10, [0, 10, 20]), batch: 4 },
    ]
    const spread = spreadOf(points, 3)
    expect(spread[0]).toBeCloseTo(0.9, 9)
    expect(spread[100]).toBeCloseTo(1.1, 9)
  })
})

describe('quantiles of the normal distribution', () => {
  it.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
    [0.001, -3.090232306167813],
    [0.02, -2.0537489106318225],
  ])('are what tables say: %d', (share, value) => {
    expect(normalQuantile(share)).toBeCloseTo(value, 7)
  })
})

/** Of the distribution whose quantiles are joined by straight lines. */
function meanOf(quantiles: readonly number[]): number {
  const [first = 0, last = 0] = [quantiles[0], quantiles.at(-1)]
  const sum = quantiles.reduce((total, quantile) => total + quantile, 0)
  return (sum - (first + last) / 2) / (quantiles.length - 1)
}
