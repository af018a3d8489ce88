import { describe, expect, it } from 'vitest'
import { plotFrontier } from '../../src/cli/frontier-plot.ts'
import { findFrontier, formatFrontier } from '../../src/cli/plan-frontier.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Objective } from '../../src/pipeline/objective.ts'
import type { Plan } from '../../src/planner/plan.ts'

const objective = { latencyMs: 100, percentile: 99 }

/** Half as many replicas for twice the time, and nothing below 40 ms. */
function plan({ latencyMs, percentile }: Objective): Promise<Plan> {
  if (latencyMs < 40) {
    const error = new MillraceError({ code: 'MILLRACE_INFEASIBLE', message: 'too strict' })
    return Promise.reject(error)
  }
  const replicas = Math.ceil(200 / latencyMs)
  const estimate = { p99Ms: latencyMs * 0.9, attainment: 0.995 }
  return Promise.resolve({
    objective: { latencyMs, percentile },
    costPerHour: replicas,
    estimate,
    configuration: { only: { tier: 'cpu-1', maxBatch: 8, replicas } },
  } as unknown as Plan)
}

describe('a frontier', () => {
  it('goes from a quarter of the objective to four times as much', async () => {
    const seen: number[] = []
    const { points, infeasibleMs, percentile } = await findFrontier({
      objective,
      plan,
      onProgress: ({ done }) => seen.push(done),
    })
    expect(percentile).toBe(99)
    expect(infeasibleMs).toEqual([25, 29.73, 35.36])
    expect(points[0]).toMatchObject({ latencyMs: 42.04, costPerHour: 5 })
    expect(points.map(({ latencyMs }) => latencyMs)).toContain(100)
    expect(points.at(-1)).toMatchObject({ latencyMs: 400, costPerHour: 1 })
    expect(seen).toEqual(Array.from({ length: 17 }, (_, index) => index + 1))
  })

  it('is printed where it changes', async () => {
    const text = formatFrontier(await findFrontier({ objective, plan, onProgress: () => {} }))
    const lines = text.split('\n').filter((line) => line.includes('only'))
    expect(lines).toHaveLength(5)
    expect(lines[0]).toMatch(/^ *42\.0 ms +5 \/h +37\.8 ms +99\.50 % +only 5 x cpu-1, batch 8$/)
    expect(text).toMatch(/Nothing within the limits meets p99 within 35\.4 ms or less\.$/)
  })

  it('is infeasible where every objective is', async () => {
    const never = () => plan({ latencyMs: 1, percentile: 99 })
    const search = findFrontier({ objective, plan: never, onProgress: () => {} })
    await expect(search).rejects.toMatchObject({ code: 'MILLRACE_INFEASIBLE' })
  })

  it('passes on what else goes wrong', async () => {
    const broken = () => Promise.reject(new Error('broken'))
    const search = findFrontier({ objective, plan: broken, onProgress: () => {} })
    await expect(search).rejects.toThrow('broken')
  })

  it('is drawn with titles and units, the same each time', async () => {
    const { points } = await findFrontier({ objective, plan, onProgress: () => {} })
    const draw = () => plotFrontier(points, { title: 'digits & pages' })
    const svg = await draw()
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    for (const text of ['objective (ms)', 'cost per hour', 'digits &amp; pages']) {
      expect(svg).toContain(text)
    }
    expect(await draw()).toHaveLength(svg.length)
  })
})
