import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { milliseconds, outOf, percent, times } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { SplitAnswer, SplitData, SplitPoint, SplitStage } from './slo-split-data.ts'

export function presentSplit(data: SplitData): Presentation {
  return {
    findings: [dearer(data), divides(data), fixedInTime(data)],
    plots: [costPlot(data), ...data.points.map(budgetPlot)],
    tables: [tableOf(data)],
  }
}

function nameOf({ ratePerS, cv2 }: SplitPoint): string {
  return `${ratePerS}/s, cv2 ${cv2}`
}

function plannerOf({ answers }: SplitPoint): SplitAnswer | undefined {
  return answers.find(({ split, costPerHour }) => split === 'planner' && costPerHour !== undefined)
}

function fixedOf({ answers }: SplitPoint): readonly SplitAnswer[] {
  return answers.filter(({ split }) => split !== 'planner')
}

function dearer({ points }: SplitData): Finding {
  const ratios = points.map((point) => {
    const own = plannerOf(point)?.costPerHour ?? Number.NaN
    return fixedOf(point).flatMap(({ split, costPerHour }) => {
      return costPerHour === undefined ? [] : [{ point, split, ratio: costPerHour / own }]
    })
  })
  const all = ratios.flat()
  const best = ratios.map((some) => Math.min(...some.map(({ ratio }) => ratio)))
  const worst = Math.max(...all.map(({ ratio }) => ratio))
  const cheaper = all.filter(({ ratio }) => ratio < 1)
  return {
    claim: 'A fixed split costs more than planning for the whole',
    published:
      'no figure; the planner needs no split, since it looks at the latency of the whole alone',
    confidence: 'ours',
    ours: `the best of the three fixed splits costs ${best.map((ratio) => times(ratio)).join(', ')} as much (${points.map(nameOf).join('; ')}); the worst ${times(worst)}; in time on a fresh trace with the plan ${points.map((point) => percent(plannerOf(point)?.attainment ?? 0)).join(', ')}`,
    verdict: cheaper.length === 0 ? 'confirmed' : 'confirmed in part',
    reason:
      cheaper.length === 0
        ? 'No fixed split is cheaper than the plan at any point.'
        : `${outOf(cheaper.length, all.length)} fixed splits are cheaper than the plan, which has more requests in time.`,
    ...(cheaper.length > 0 && {
      analysis: `Cheaper than the plan: ${cheaper.map(({ point, split, ratio }) => `${split} at ${nameOf(point)} (${times(ratio)})`).join(', ')}. 99 % within its part at either stage leaves up to 2 % late in all: such a split may miss what the plan must meet.`,
    }),
  }
}

/** Milliseconds of a stage: its batch, and the wait for it. */
function budgetMs({ batchMs, queueP99Ms }: SplitStage): number {
  return batchMs + queueP99Ms
}

function retrieverShare({ stages = [] }: SplitAnswer): number {
  const [retriever, all] = stages.reduce(
    ([own, sum], stage) => {
      return [own + (stage.stage === 'retriever' ? budgetMs(stage) : 0), sum + budgetMs(stage)]
    },
    [0, 0],
  )
  return retriever / all
}

function divides({ points }: SplitData): Finding {
  const list = points.flatMap((point) => {
    const plan = plannerOf(point)
    if (plan === undefined) return []
    const share = Math.round(100 * retrieverShare(plan))
    return [`${share}/${100 - share} at ${nameOf(point)}`]
  })
  return {
    claim: 'The planner divides the budget by what each stage gains from time',
    published: 'no figure',
    confidence: 'ours',
    ours: `retriever/model: ${list.join('; ')}`,
    verdict: 'reported',
    reason: 'The paper gives no figure to compare with.',
    analysis:
      'Measured as a full batch and the wait of 99 of 100 rows. A millisecond is given to the stage where it saves most: larger batches or a cheaper tier for the model, whose replicas are what the pipeline costs.',
  }
}

function fixedInTime({ points, latencyMs }: SplitData): Finding {
  const all = points.flatMap((point) => fixedOf(point).map((answer) => ({ point, answer })))
  const planned = all.filter(({ answer }) => answer.costPerHour !== undefined)
  const wasteful = planned.filter(({ answer }) => (answer.plannedAttainment ?? 0) >= 0.99)
  const refused = all.filter(({ answer }) => answer.refusal !== undefined)
  const p99s = planned.map(({ answer }) => answer.p99Ms ?? 0)
  return {
    claim: 'Fixed splits leave budget unused',
    published: 'no figure',
    confidence: 'ours',
    ours: `${wasteful.length} of ${all.length} fixed splits meet ${latencyMs} ms, with a p99 of ${milliseconds(Math.min(...p99s))} to ${milliseconds(Math.max(...p99s))} on the fresh trace; ${refused.length} cannot be planned for`,
    verdict: 'reported',
    reason: 'The paper gives no figure to compare with.',
    analysis:
      'The worst wait at one stage and the worst wait at the other seldom fall on the same request, so two parts that each hold for 99 % add up to less than their sum; what is left is paid for in replicas.',
  }
}

function costPlot({ points }: SplitData): Plot {
  const categories = points.map(nameOf)
  const splits = points[0]?.answers.map(({ split }) => split) ?? []
  return {
    name: 'cost',
    title: 'cost by split of the budget (retriever/model)',
    x: { name: 'rate and burstiness', kind: 'category', categories },
    y: { name: 'cost ($/h)' },
    series: splits.map((name) => ({
      name,
      kind: 'bar',
      points: points.map(({ answers }, at) => {
        return [at, answers.find(({ split }) => split === name)?.costPerHour ?? null] as const
      }),
    })),
  }
}

function budgetPlot(point: SplitPoint, at: number): Plot {
  const planned = point.answers.filter(({ stages }) => stages !== undefined)
  const series = ['retriever', 'model'].map((name) => ({
    name,
    kind: 'bar' as const,
    points: planned.map(({ stages = [] }, index) => {
      const stage = stages.find((each) => each.stage === name)
      return [index, stage ? budgetMs(stage) : null] as const
    }),
  }))
  return {
    name: `budget-${at}`,
    title: `${nameOf(point)}: full batch and wait of each stage`,
    x: { name: 'split', kind: 'category', categories: planned.map(({ split }) => split) },
    y: { name: 'batch + p99 of the wait (ms)' },
    series,
  }
}

function tableOf({ points }: SplitData): FigureTable {
  const heading = ['rate, cv2', 'split', '$/h', 'attainment', 'fresh', 'p99', 'configuration']
  const rows = points.flatMap((point) =>
    point.answers.map((answer) => [
      nameOf(point),
      answer.split,
      answer.costPerHour?.toFixed(2) ?? 'no plan',
      answer.plannedAttainment === undefined ? '' : percent(answer.plannedAttainment),
      answer.attainment === undefined ? '' : percent(answer.attainment),
      answer.p99Ms === undefined ? '' : milliseconds(answer.p99Ms),
      answer.stages?.map(stageText).join('; ') ?? answer.refusal ?? '',
    ]),
  )
  return { title: 'The plan, and plans by fixed splits', rows: [heading, ...rows] }
}

function stageText({ stage, replicas, tier, maxBatch, batchMs, queueP99Ms }: SplitStage): string {
  return `${stage} ${replicas} x ${tier}, batch ${maxBatch}: ${milliseconds(batchMs)} + ${milliseconds(queueP99Ms)}`
}
