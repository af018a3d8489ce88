import { describe, expect, it } from 'vitest'
import { plotFrontier } from '../../src/cli/frontier-plot.ts'
import { formatFrontier, latenciesAround } from '../../src/cli/plan-frontier.ts'
import type { Plan } from '../../src/planner/plan.ts'

function planOf(latencyMs: number, replicas: number, accuracy?: number): Plan {
  return {
    pipeline: 'digits',
    objective: { latencyMs, percentile: 99 },
    costPerHour: replicas,
    estimate: { p99Ms: latencyMs * 0.9, attainment: 0.995, accuracy },
    configuration: { only: { tier: 'cpu-1', maxBatch: 8, replicas } },
  } as unknown as Plan
}

describe('a frontier', () => {
  it('goes from a quarter of the objective to four times as much', () => {
    const latenciesMs = latenciesAround(100)
    expect(latenciesMs).toHaveLength(17)
    expect([latenciesMs[0], latenciesMs[8], latenciesMs[16]]).toEqual([25, 100, 400])
    expect(latenciesMs[9]).toBe(118.9)
  })

  it('is printed plan by plan', () => {
    const plans = [planOf(42.04, 5), planOf(100, 2)]
    expect(formatFrontier(plans, { latenciesMs: [25, 400] })).toBe(
      `digits: p99 objectives from 25.0 ms to 400 ms; a plan wherever it is better in something than all others

objective       cost      p99  attainment  configuration
  42.0 ms  5.0000 /h  37.8 ms     99.50 %  only 5 x cpu-1, batch 8
   100 ms  2.0000 /h  90.0 ms     99.50 %  only 2 x cpu-1, batch 8`,
    )
  })

  it('is drawn with titles and units, the same each time', async () => {
    const draw = () =>
      plotFrontier([planOf(50, 4), planOf(100, 2)], { title: 'a & b', upToMs: 400 })
    const svg = await draw()
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const text of ['>objective (ms)<', '>cost per hour<', '>a &amp; b<']) {
      expect(svg).toContain(text)
    }
    expect(svg).not.toContain('accuracy')
    expect(await draw()).toHaveLength(svg.length)
  })

  it('is drawn with a line for each accuracy', async () => {
    const plans = [planOf(50, 4, 0.9), planOf(50, 6, 0.95), planOf(100, 3, 0.95)]
    const svg = await plotFrontier(plans, { title: 'two', upToMs: 400 })
    for (const text of ['>accuracy 90.00 %<', '>accuracy 95.00 %<']) expect(svg).toContain(text)
  })
})
