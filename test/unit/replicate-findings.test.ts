// Verdicts, by data that are made up: what follows from a run is decided by its numbers alone.
import { describe, expect, it } from 'vitest'
import type { Presentation } from '../../src/replicate/figure.ts'
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

  it('explains where the plan misses on the fresh trace', () => {
    const fullest = { stage: 'image', load: 0.99 }
    const data = dataOf({ system: 'optimal', costPerHour: 2, attainment: 0.95, fullest })
    const finding = findingOf(presentFig5(data), attains)
    expect(finding.verdict).toBe('confirmed in part')
    expect(finding.analysis).toMatch(/95\.00 % \(image is 99\.0 % full at the mean rate\)/)
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
