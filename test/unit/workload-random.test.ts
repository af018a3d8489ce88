import { describe, expect, it } from 'vitest'
import { Random } from '../../src/workload/random.ts'

const draws = 200_000

function momentsOf(draw: (random: Random) => number): { mean: number; variance: number } {
  const random = new Random({ seed: 3 })
  let [sum, squares] = [0, 0]
  for (let index = 0; index < draws; index++) {
    const value = draw(random)
    sum += value
    squares += value * value
  }
  const mean = sum / draws
  return { mean, variance: squares / draws - mean * mean }
}

const first = (random: Random) => Array.from({ length: 4 }, () => random.bits())

describe('seeded random numbers', () => {
  it('are the same on every machine', () => {
    expect(first(new Random({ seed: 1 }))).toEqual([3744230918, 4085411741, 3160389862, 586529176])
    const random = new Random({ seed: 1 })
    expect([random.uniform(), random.normal(), random.gamma(0.25), random.gamma(2.5)]).toEqual([
      0.8717717003167349, 0.3222484186756271, 0.001818387382813859, 1.1930670603242166,
    ])
  })

  it('differ from seed to seed, in the upper half of its bits, too, and from stream to stream', () => {
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 33, Number.MAX_SAFE_INTEGER]
    const streams = [0, 1, 2]
    const starts = seeds.flatMap((seed) =>
      streams.map((stream) => first(new Random({ seed, stream })).join()),
    )
    expect(new Set(starts).size).toBe(seeds.length * streams.length)
  })

  it('fill [0, 1) evenly, in all their bits', () => {
    const random = new Random({ seed: 5 })
    const tenths = new Array<number>(10).fill(0)
    const ones = new Array<number>(53).fill(0)
    for (let index = 0; index < 20_000; index++) {
      const value = random.uniform()
      tenths[Math.floor(value * 10)]! += 1
      for (let bit = 0; bit < 53; bit++) ones[bit]! += Math.floor(value * 2 ** (bit + 1)) % 2
    }
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(5 * Math.sqrt(1_800))
    for (const count of ones) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(5_000))
  })

  // Within five standard errors: those of a variance follow from the fourth moment.
  it.each([
    ['uniform', (random: Random) => random.uniform(), 1 / 2, 1 / 12, -1.2],
    ['exponential', (random: Random) => random.exponential(), 1, 1, 6],
    ['normal', (random: Random) => random.normal(), 0, 1, 0],
    ['gamma of 0.25', (random: Random) => random.gamma(0.25), 0.25, 0.25, 24],
    ['gamma of 0.01', (random: Random) => random.gamma(0.01), 0.01, 0.01, 600],
    ['gamma of 1', (random: Random) => random.gamma(1), 1, 1, 6],
    ['gamma of 2.5', (random: Random) => random.gamma(2.5), 2.5, 2.5, 2.4],
    ['gamma of 1000', (random: Random) => random.gamma(1000), 1000, 1000, 0.006],
  ] as const)(
    'have the mean and variance of their law: %s',
    (_law, draw, mean, variance, excess) => {
      const found = momentsOf(draw)
      expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / draws))
      const error = variance * Math.sqrt((2 + excess) / draws)
      expect(Math.abs(found.variance - variance)).toBeLessThan(5 * error)
    },
  )

  it('of a gamma law below 1 are distributed as they should be, not only on average', () => {
    // Shape 1/2 is half the square of a normal: the share below 0.5 is that of normals within 1 of 0.
    const random = new Random({ seed: 9 })
    let below = 0
    for (let index = 0; index < draws; index++) if (random.gamma(0.5) < 0.5) below++
    const share = 0.6826894921
    expect(Math.abs(below / draws - share)).toBeLessThan(
      5 * Math.sqrt((share * (1 - share)) / draws),
    )
  })
})
