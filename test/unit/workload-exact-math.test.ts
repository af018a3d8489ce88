import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { exactExp, exactLog, exactSinTurns } from '../../src/workload/exact-math.ts'
import { Random } from '../../src/workload/random.ts'

const many = 20_000

/** How many numbers lie between two, and the second. */
function ulpsApart(one: number, other: number): number {
  const bits = new DataView(new ArrayBuffer(16))
  bits.setFloat64(0, one)
  bits.setFloat64(8, other)
  return Math.abs(Number(bits.getBigInt64(0) - bits.getBigInt64(8)))
}

function worst(apart: (random: Random) => number): number {
  const random = new Random({ seed: 7 })
  let most = 0
  for (let index = 0; index < many; index++) most = Math.max(most, apart(random))
  return most
}

/** A hash of the bits of results, in the order of bytes of this machine: little-endian wherever Node runs. */
function hashOf(values: (random: Random) => number): string {
  const random = new Random({ seed: 11 })
  const results = Float64Array.from({ length: many }, () => values(random))
  return createHash('sha256').update(results).digest('hex').slice(0, 16)
}

describe('the exact logarithm', () => {
  it('is within two units in the last place of that of the engine, from the least number to the largest', () => {
    const apart = (value: number) => ulpsApart(exactLog(value), Math.log(value))
    expect(worst((random) => apart(random.positiveUniform()))).toBeLessThanOrEqual(2)
    expect(worst((random) => apart(0.5 + random.uniform()))).toBeLessThanOrEqual(2)
    expect(worst((random) => apart(Math.exp(1400 * random.uniform() - 700)))).toBeLessThanOrEqual(2)
    expect(apart(Number.MIN_VALUE)).toBeLessThanOrEqual(2)
    expect(apart(2.2250738585072014e-308)).toBeLessThanOrEqual(2)
    expect(apart(Number.MAX_VALUE)).toBeLessThanOrEqual(2)
  })

  it('is that of mathematics where there is no rounding to speak of', () => {
    expect(exactLog(1)).toBe(0)
    expect(exactLog(2)).toBe(Math.LN2)
    expect(exactLog(0)).toBe(Number.NEGATIVE_INFINITY)
    expect(exactLog(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
    expect(exactLog(-1)).toBeNaN()
    expect(exactLog(Number.NaN)).toBeNaN()
  })

  it('has the same bits everywhere', () => {
    expect(hashOf((random) => exactLog(random.positiveUniform()))).toBe('afed2694f6ce2bac')
  })
})

describe('the exact exponential', () => {
  it('is within two units in the last place of that of the engine, denormal results included', () => {
    const apart = (value: number) => ulpsApart(exactExp(value), Math.exp(value))
    expect(worst((random) => apart(1454 * random.uniform() - 745))).toBeLessThanOrEqual(2)
    expect(worst((random) => apart(random.uniform() - 0.5))).toBeLessThanOrEqual(2)
  })

  it('is that of mathematics at the ends of its range', () => {
    expect(exactExp(0)).toBe(1)
    expect(exactExp(Number.NEGATIVE_INFINITY)).toBe(0)
    expect(exactExp(-746)).toBe(0)
    expect(exactExp(709.7827)).toBeCloseTo(Math.exp(709.7827), -296)
    expect(exactExp(709.8)).toBe(Number.POSITIVE_INFINITY)
    expect(exactExp(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
    expect(exactExp(Number.NaN)).toBeNaN()
  })

  it('has the same bits everywhere', () => {
    expect(hashOf((random) => exactExp(40 * random.uniform() - 20))).toBe('47e1db3679329aef')
  })
})

describe('the exact sine', () => {
  it('is that of the engine but for the rounding of radians', () => {
    const apart = (random: Random): number => {
      const turns = 4 * random.uniform() - 2
      return Math.abs(exactSinTurns(turns) - Math.sin(2 * Math.PI * turns))
    }
    expect(worst(apart)).toBeLessThan(3e-15)
  })

  it.each([
    [0, 0],
    [0.25, 1],
    [0.5, 0],
    [0.75, -1],
    [-0.25, -1],
    [1e15 + 0.25, 1],
  ])('of %s turns is %s', (turns, sine) => {
    expect(Math.abs(exactSinTurns(turns) - sine)).toBe(0)
  })

  it('has the same bits everywhere', () => {
    expect(hashOf((random) => exactSinTurns(random.uniform()))).toBe('6f42910f06e812e8')
  })
})
