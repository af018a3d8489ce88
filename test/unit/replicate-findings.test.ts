// Verdicts, by data that are made up: what follows from a run is decided by its numbers alone.
import { describe, expect, it } from 'vitest'
import type { Presentation } from '../../src/replicate/figure.ts'
import type { AttributionRun } from '../../src/replicate/figures/attribution-data.ts'
import { presentAttribution } from '../../src/replicate/figures/attribution-presentation.ts'
import type { Fig5Answer, Fig5Data } from '../../src/replicate/figures/fig5-data.ts'
import { presentFig5 } from '../../src/replicate/figures/fig5-presentation.ts'
import type { Fig6Data, Fig6Run } from '../../src/replicate/figures/fig6-data.ts'
import { presentFig6 } from '../../src/replicate/figures/fig6-presentation.ts'
import { presentFig9 } from '../../src/replicate/figures/fig9-presentation.ts'

function findingOf({ findings }: Presentation, claim: RegExp) {
  const found = findings.find((each) => claim.test(each.claim))
  if (found === undefined) throw new Error(`no finding says ${claim}`)
  return found
}

describe('fig5', () => {
  const cheapest = /cheapest of all/
  const attains = /99 % of the requests in time/

  function dataOf(...answers: readonly Fig5Answer[]): Fig5Data {
    const point = { pipeline: 'social-media' as const, cv2: 4, ratePerS: 100, answers }
    return { latencyMs: 150, durationMs: 60_000, points: [point] }
  }

  it('has the plan as the cheapest where what is cheaper misses', () => {
    const data = dataOf(
      { system: 'optimal', costPerHour: 2, attainment: 0.995 },
      { system: 'cg-mean', costPerHour: 1, attainment: 0.9 },
    )
    expect(findingOf(presentFig5(data), cheapest).verdict).toBe('confirmed')
    expect(findingOf(presentFig5(data), attains).verdict).toBe('confirmed')
  })

  it('names what is cheaper and meets the objective', () => {
    const finding = findingOf(
      presentFig5(
        dataOf(
          { system: 'optimal', costPerHour: 2, attainment: 0.995 },
          { system: 'inferline', costPerHour: 1.5, attainment: 0.99 },
        ),
      ),
      cheapest,
    )
    expect(finding.verdict).toBe('confirmed in part')
    expect(finding.analysis).toMatch(
      /social-media at 100\/s, cv2 4: ours \$2\.00\/h, inferline \$1\.50\/h/,
    )
  })

  it.each([
    ['by the stage that is full', { load: 0.99, others: 0.95 }, 'a stage all but full'],
    ['by the plan, which fits its own trace', { load: 0.8, others: 0.98 }, 'fits its own trace'],
    [
      'by bad luck, where it holds on the others',
      { load: 0.99, others: 0.999 },
      'an unlucky trace',
    ],
  ])('explains a miss on the fresh trace %s', (_what, { load, others }, why) => {
    const data = dataOf({
      system: 'optimal',
      costPerHour: 2,
      plannedAttainment: 0.99,
      attainment: 0.95,
      freshAttainments: [0.95, ...Array(9).fill(others)],
      fullest: { stage: 'image', load },
    })
    const presented = presentFig5(data)
    const finding = findingOf(presented, attains)
    expect(finding.verdict).toBe('confirmed in part')
    expect(finding.analysis).toMatch(/^The plan is the cheapest that passes on one trace/)
    const { rows = [] } = presented.tables.find(({ title }) => /^Exceptions/.test(title)) ?? {}
    expect(rows[1]).toContain(why)
  })

  it('says what a margin costs, and what comes of it', () => {
    const data = dataOf(
      { system: 'optimal', costPerHour: 2, attainment: 0.98, freshAttainments: [0.98, 0.99] },
      {
        system: 'optimal, 99.5 %',
        costPerHour: 2.2,
        attainment: 0.992,
        freshAttainments: [0.992, 0.98],
      },
    )
    expect(findingOf(presentFig5(data), /99\.5 % makes/).ours).toBe(
      '1 of 1 points, for 10.0 % more on average; on 2 fresh traces a point, 50 % of all meet 99 %, with 98.60 % in time on average',
    )
  })

  it('says why there is no plan', () => {
    const data = dataOf({ system: 'optimal', refusal: 'too tight' })
    expect(findingOf(presentFig5(data), cheapest).ours).toMatch(/1 without a plan \(too tight\)/)
  })
})

describe('fig6', () => {
  const plan = { strategy: 'optimal', percentile: 99.9, costPerHour: 4, attainment: 0.999 }

  function runOf(
    system: string,
    figures: Partial<Fig6Run> & Pick<Fig6Run, 'attainment' | 'cost'>,
  ): Fig6Run {
    const late = Math.round(100_000 * (1 - figures.attainment))
    const common = { activationMs: 5000, plan, requests: 100_000, late, p99Ms: 100, changes: 2 }
    return { system, isBaseline: true, series: [], ...common, ...figures }
  }

  function presented(...runs: readonly Fig6Run[]): Presentation {
    const trace = { shape: 'big-spike' as const, seed: 1, durationMs: 3_600_000 }
    const rates = { sampleRatePerS: 66, liveRatePerS: 121 }
    const data: Fig6Data = { latencyMs: 150, traces: [{ ...trace, ...rates, runs }] }
    return presentFig6(data)
  }

  const ours = runOf('millrace', { attainment: 0.9985, cost: 6, isBaseline: false })

  it('holds attainment against what was published', () => {
    const keeps = /the tuner keeps the objective/
    expect(findingOf(presented(ours), keeps).verdict).toBe('confirmed')
    const short = { ...ours, attainment: 0.9979 }
    expect(findingOf(presented(short), keeps).verdict).toBe('not confirmed')
  })

  it('compares with the best of the settings of each baseline', () => {
    const costs = /attains as much costs more/
    const good = runOf('ds2', { setting: 'much', attainment: 0.999, cost: 9 })
    const cheap = runOf('ds2', { setting: 'little', attainment: 0.7, cost: 1 })
    const finding = findingOf(presented(ours, cheap, good), costs)
    expect(finding.verdict).toBe('confirmed')
    expect(finding.ours).toMatch(/ds2 \(much\) 99\.90 % at \$9\.00/)
    const cheaper = runOf('ds2', { setting: 'just right', attainment: 0.999, cost: 5 })
    expect(findingOf(presented(ours, cheap, good, cheaper), costs).verdict).toBe('not confirmed')
  })

  it('asks of replicas that serve at once that they miss less and cost no more', () => {
    const once = /serve at once/
    const fast = { ...ours, activationMs: 5 }
    expect(findingOf(presented(ours, { ...fast, late: 20 }), once).verdict).toBe('confirmed')
    expect(findingOf(presented(ours, { ...fast, late: 151 }), once).verdict).toBe('not confirmed')
    const dearer = { ...fast, late: 20, cost: 7 }
    expect(findingOf(presented(ours, dearer), once).verdict).toBe('not confirmed')
  })
})

describe('fig9', () => {
  it('says so where there are no models to run', () => {
    const nothing = { latencyMs: 20, images: 1000, loadAverage: 0, cores: 2, runs: [] }
    const { findings, plots } = presentFig9(nothing)
    expect(findings.map(({ verdict }) => verdict)).toEqual(['reported'])
    expect(findings[0]?.ours).toMatch(/examples\/01-digits-cascade/)
    expect(plots).toEqual([])
  })
})

describe('attribution', () => {
  function runOf(
    planner: 'ours' | 'coarse',
    tuner: AttributionRun['tuner'],
    late: number,
    cost: number,
  ) {
    const attainment = 1 - late / 1000
    const common = { planCostPerHour: 4, plannedAttainment: 0.999, requests: 1000 }
    return { planner, tuner, late, cost, attainment, ...common }
  }
  const steps = [runOf('coarse', 'none', 900, 4), runOf('ours', 'none', 850, 3)]
  const both = runOf('ours', 'ours', 10, 6)
  const withTuner = (late: number, cost: number) => [
    { ...runOf('ours', 'coarse', late, cost), windowMs: 1000 },
    { ...runOf('ours', 'coarse', 200, 4), windowMs: 10_000 },
    { ...runOf('coarse', 'coarse', 100, 12), windowMs: 1000 },
    { ...runOf('coarse', 'coarse', 300, 10), windowMs: 10_000 },
  ]
  const presented = (...runs: readonly AttributionRun[]) =>
    presentAttribution({
      latencyMs: 150,
      activationMs: 5000,
      traces: [{ shape: 'big-spike', runs }],
    })

  it('gives planner and tuner what each does alone', () => {
    const all = presented(...steps, both, ...withTuner(50, 5), runOf('coarse', 'ours', 60, 9))
    expect(all.findings.map(({ verdict }) => verdict)).toEqual(Array(3).fill('confirmed'))
    expect(all.findings[0]?.ours).toMatch(
      /^counting 1 s, from \$12\.00: planner saves 58 %, tuner saves 25 %, both saves 50 %/,
    )
    expect(all.findings[1]?.reason).toMatch(/tuning avoids 840 misses, planning 50/)
  })

  it('holds a trend in part where it depends on how long arrivals are counted', () => {
    const all = presented(...steps, both, ...withTuner(5, 13), runOf('coarse', 'ours', 60, 9))
    expect(all.findings.map(({ verdict }) => verdict)).toEqual([
      'confirmed in part',
      'confirmed',
      'confirmed in part',
    ])
    expect(all.findings[2]?.reason).toMatch(
      /of 1 s the coarse-grained tuner misses no more, at a higher cost/,
    )
  })
})
