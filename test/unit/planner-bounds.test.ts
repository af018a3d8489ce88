import { describe, expect, it } from 'vitest'
import { fewestLate, mostWithin } from '../../src/planner/demand.ts'
import { allowedLate } from '../../src/planner/judge.ts'

describe('bounds of the planner', () => {
  it('count the most arrivals within a length, both ends included', () => {
    expect(mostWithin(Float64Array.of(0, 5, 10, 11), 10)).toBe(3)
  })

  it('count the fewest rows that miss their windows', () => {
    const arrivalsMs = Float64Array.of(0, 0, 0, 100)
    expect(fewestLate(arrivalsMs, { rowMs: 10, windowMs: 20, enough: 9 })).toBe(1)
    expect(fewestLate(arrivalsMs, { rowMs: 10, windowMs: 30, enough: 9 })).toBe(0)
  })

  it('allow as many late requests as the nearest rank does', () => {
    expect([allowedLate(300, 99), allowedLate(99, 99), allowedLate(492, 99)]).toEqual([3, 0, 4])
  })
})
