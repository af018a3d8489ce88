import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { dollars, milliseconds, percent } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { AccuracyData, AccuracyPlan } from './accuracy-data.ts'

/** IPA's three terms: a point of accuracy counts 1, a dollar an hour this much, a row of a batch a trifle. */
const weights = [
  { name: 'accuracy first', perDollar: 0.25 },
  { name: 'balanced', perDollar: 2 },
  { name: 'cost first', perDollar: 10 },
] as const
const perRow = 1e-6

/** How much more than the cheapest plan costs is still a small increase. */
const smallIncrease = 1.25

export function presentAccuracy(data: AccuracyData): Presentation {
  return {
    findings: [gain(data), weighted(data)],
    plots: [
      frontPlot(data),
      ...latenciesOf(data).map((latencyMs) => weightedPlot(data, latencyMs)),
    ],
    tables: [tableOf(data)],
  }
}

function latenciesOf({ plans }: AccuracyData): readonly number[] {
  return [...new Set(plans.map(({ latencyMs }) => latencyMs))].sort((a, b) => a - b)
}

/** What may be used where so much time is allowed: plans for less, too. */
function within({ plans }: AccuracyData, latencyMs: number): readonly AccuracyPlan[] {
  const allowed = plans.filter((plan) => plan.latencyMs <= latencyMs)
  return [...allowed].sort((a, b) => a.costPerHour - b.costPerHour || b.accuracy - a.accuracy)
}

function best(plans: readonly AccuracyPlan[], value: (plan: AccuracyPlan) => number) {
  return plans.reduce<AccuracyPlan | undefined>((chosen, plan) => {
    return chosen === undefined || value(plan) > value(chosen) ? plan : chosen
  }, undefined)
}

function gain(data: AccuracyData): Finding {
  const rows = latenciesOf(data).flatMap((latencyMs) => {
    const plans = within(data, latencyMs)
    const [cheapest] = plans
    if (cheapest === undefined) return []
    const affordable = plans.filter(
      ({ costPerHour }) => costPerHour <= smallIncrease * cheapest.costPerHour,
    )
    const near = best(affordable, ({ accuracy }) => accuracy) ?? cheapest
    const top = best(plans, ({ accuracy }) => accuracy) ?? cheapest
    return [{ latencyMs, cheapest, near, top }]
  })
  const small = rows.map(({ cheapest, near }) => near.accuracy / cheapest.accuracy - 1)
  const most = Math.max(...small)
  const all = rows.map(({ latencyMs, cheapest, near, top }) => {
    const text = (plan: AccuracyPlan) =>
      `${percent(plan.accuracy, 1)} at ${dollars(plan.costPerHour)}/h`
    return `${latencyMs} ms: ${text(cheapest)}, ${text(near)} for up to a quarter more, ${text(top)} at best`
  })
  return {
    claim: 'Choosing among models gains much accuracy for little cost',
    published: 'up to 21 % higher end-to-end accuracy at a small cost increase (IPA)',
    confidence: 'sure',
    ours: `up to ${percent(most, 1)} higher for at most a quarter more cost`,
    verdict: most >= 0.21 ? 'confirmed' : most > 0.02 ? 'confirmed in part' : 'not confirmed',
    analysis: `${all.join('; ')}. How much is gained for how little depends on which models there are: the step from AlexNet to ResNet-50 is most of the accuracy, and the one to ResNet-152 most of the cost.`,
  }
}

interface Choice {
  readonly name: string
  readonly perDollar: number
  readonly plan: AccuracyPlan
}

function choices(data: AccuracyData, latencyMs: number): readonly Choice[] {
  return weights.flatMap(({ name, perDollar }) => {
    const plan = best(within(data, latencyMs), ({ accuracy, costPerHour, batches }) => {
      return 100 * accuracy - perDollar * costPerHour - perRow * batches
    })
    return plan === undefined ? [] : [{ name, perDollar, plan }]
  })
}

function weighted(data: AccuracyData): Finding {
  const latencies = latenciesOf(data)
  const list = latencies.map((latencyMs) => {
    const each = choices(data, latencyMs).map(({ name, plan }) => {
      return `${name} ${percent(plan.accuracy, 1)} at ${dollars(plan.costPerHour)}/h`
    })
    return `${latencyMs} ms: ${each.join(', ')}`
  })
  const counts = latencies.map((latencyMs) => within(data, latencyMs).length)
  const chosen = latencies.map(
    (latencyMs) => new Set(choices(data, latencyMs).map(({ plan }) => plan)).size,
  )
  return {
    claim: 'A weighted sum shows one point of the front',
    published: 'IPA maximises one weighted sum of accuracy, cost and batch sizes',
    confidence: 'sure',
    ours: `of ${counts.join(', ')} plans that nothing beats (${latencies.join(', ')} ms) three weightings choose ${chosen.join(', ')}`,
    verdict: 'reported',
    analysis: `A dollar an hour counts ${weights.map(({ name, perDollar }) => `${perDollar} points of accuracy (${name})`).join(', ')}. ${list.join('; ')}.`,
  }
}

function frontPlot(data: AccuracyData): Plot {
  const series = latenciesOf(data).map((latencyMs) => ({
    name: `within ${latencyMs} ms`,
    kind: 'step' as const,
    points: increasing(within(data, latencyMs)).map(pointOf),
  }))
  return {
    name: 'front',
    title: 'least cost of an accuracy, by objective',
    x: { name: 'cost ($/h)' },
    y: { name: 'accuracy (%)', scaled: true },
    series,
  }
}

/** By cost, those that are more accurate than all cheaper ones. */
function increasing(plans: readonly AccuracyPlan[]): readonly AccuracyPlan[] {
  let highest = 0
  return plans.filter(({ accuracy }) => {
    if (accuracy <= highest) return false
    highest = accuracy
    return true
  })
}

function pointOf({ costPerHour, accuracy }: AccuracyPlan): readonly [number, number] {
  return [costPerHour, 100 * accuracy]
}

function weightedPlot(data: AccuracyData, latencyMs: number): Plot {
  const front = {
    name: 'plans',
    kind: 'step' as const,
    points: increasing(within(data, latencyMs)).map(pointOf),
  }
  const chosen = choices(data, latencyMs).map(({ name, plan }) => {
    return { name, kind: 'points' as const, points: [pointOf(plan)] }
  })
  return {
    name: `weighted-${latencyMs}`,
    title: `within ${latencyMs} ms: what weighted sums choose`,
    x: { name: 'cost ($/h)' },
    y: { name: 'accuracy (%)', scaled: true },
    series: [front, ...chosen],
  }
}

function tableOf(data: AccuracyData): FigureTable {
  const rows = data.plans.map((plan) => [
    `${plan.latencyMs} ms`,
    percent(plan.accuracy, 1),
    plan.costPerHour.toFixed(2),
    milliseconds(plan.p99Ms),
    plan.configuration,
  ])
  const heading = ['objective', 'accuracy', '$/h', 'p99', 'configuration']
  return { title: 'Plans that no other beats', rows: [heading, ...rows] }
}
