import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { dollars, milliseconds, percent } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { AccuracyData, AccuracyPlan } from './accuracy-data.ts'

/**
 * IPA's three terms: a point of accuracy counts 1, a dollar an hour this much, a row of a batch a trifle. Marks of a size each,
 * since two of them may choose the same plan.
 */
const weights = [
  { name: 'accuracy first', perDollar: 1, size: 22 },
  { name: 'balanced', perDollar: 5, size: 16 },
  { name: 'cost first', perDollar: 25, size: 10 },
] as const
const perRow = 1e-6

/** How much more a small increase of the cost is, and what IPA gained for one. */
const smallIncrease = 1.25
const publishedGain = 1.21

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

interface Step {
  readonly from: AccuracyPlan
  readonly to: AccuracyPlan
  readonly cost: number
  readonly accuracy: number
}

/** From each plan to each better one for the same objective: the ratios of what they cost and get right. */
function stepsOf(data: AccuracyData): readonly Step[] {
  return latenciesOf(data).flatMap((latencyMs) => {
    const plans = increasing(within(data, latencyMs))
    return plans.flatMap((from) =>
      plans
        .filter((to) => to.accuracy > from.accuracy)
        .map((to) => {
          const cost = to.costPerHour / from.costPerHour
          return { from, to, cost, accuracy: to.accuracy / from.accuracy }
        }),
    )
  })
}

function gain(data: AccuracyData): Finding {
  const steps = stepsOf(data)
  const small = steps.filter(({ cost }) => cost <= smallIncrease)
  const most = Math.max(1, ...small.map(({ accuracy }) => accuracy))
  const asMuch = steps.filter(({ accuracy }) => accuracy >= publishedGain)
  const [least] = [...asMuch].sort((a, b) => a.cost - b.cost)
  const text = (plan: AccuracyPlan) =>
    `${percent(plan.accuracy, 1)} at ${dollars(plan.costPerHour)}/h (${plan.configuration})`
  const fronts = latenciesOf(data).map((latencyMs) => {
    const plans = increasing(within(data, latencyMs)).map(({ accuracy, costPerHour }) => {
      return `${percent(accuracy, 1)} at ${dollars(costPerHour)}`
    })
    return `${latencyMs} ms: ${plans.join(', ')}`
  })
  return {
    claim: 'Choosing among models gains much accuracy for little cost',
    published: 'up to 21 % higher end-to-end accuracy at a small cost increase (IPA)',
    confidence: 'sure',
    ours: `up to ${percent(most - 1, 1)} higher for at most a quarter more cost${least ? `; 21 % higher or more from ${percent(least.cost - 1, 0)} more cost on` : ''}`,
    verdict: most >= publishedGain ? 'confirmed' : least ? 'confirmed in part' : 'not confirmed',
    reason:
      most >= publishedGain
        ? 'A gain of that size is to be had for at most a quarter more cost.'
        : least
          ? `A gain of that size is to be had, but for ${percent(least.cost - 1, 0)} more cost and not for a little.`
          : 'No plan gains as much over another.',
    ...(most < publishedGain && {
      analysis: `There are three models to choose from, in large steps, and one of them alone runs well on a CPU: a better model brings a GPU with it, or another replica of one. IPA has five sizes of each model, all on CPU cores.${least ? ` The cheapest step of that size is from ${text(least.from)} to ${text(least.to)}.` : ''} Fronts: ${fronts.join('; ')}.`,
    }),
  }
}

interface Choice {
  readonly name: string
  readonly size: number
  readonly plan: AccuracyPlan
}

function choices(data: AccuracyData, latencyMs: number): readonly Choice[] {
  return weights.flatMap(({ name, perDollar, size }) => {
    const plan = best(within(data, latencyMs), ({ accuracy, costPerHour, batches }) => {
      return 100 * accuracy - perDollar * costPerHour - perRow * batches
    })
    return plan === undefined ? [] : [{ name, size, plan }]
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
    reason: 'It is how IPA chooses, not a result of it.',
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
  const chosen = choices(data, latencyMs).map(({ name, size, plan }) => {
    return { name, kind: 'points' as const, size, points: [pointOf(plan)] }
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
