/**
 * What plans for the four pipelines of the InferLine paper cost by strategy, and how many requests they then serve in time
 * on another trace of the same process: by rate, burstiness and objective.
 */
import { defaultHardware, readProfile } from '../../dist/index.js'
import { type PaperRow, planPoint } from './paper-point.ts'
import { summarizePoints } from './paper-summary.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const pipelines = ['image-processing', 'video-monitoring', 'social-media', 'tf-cascade']
const cv2s = [1, 4]

/** As a sum of prices in another order. */
const grain = 1e-9

export const plannerVsPaper: Trial = {
  name: 'planner-vs-paper',
  measures:
    'share of 120 points on the paper’s pipelines where optimal costs no more than inferline',
  unit: 'share',
  target: { figure: 'ours', atLeast: 1 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const rates = quick ? [100, 300] : [50, 100, 200, 300, 400]
  const objectivesMs = quick ? [300] : [150, 300, 500]
  const hardware = await defaultHardware()
  const points: PaperRow[] = []
  for (const pipeline of pipelines) {
    const profile = await readProfile(`profiles/${pipeline}.json`)
    for (const cv2 of cv2s) {
      for (const ratePerS of rates) {
        for (const latencyMs of objectivesMs) {
          const point = { pipeline, cv2, ratePerS, latencyMs, seed: points.length * 2 + 1 }
          points.push(await planPoint(point, { profile, hardware }))
        }
      }
    }
  }
  const notDearer = points.filter(isNotDearer).length
  return [
    {
      ours: notDearer / points.length,
      reference: null,
      referenceName: `inferline, ${points.length} points`,
      details: {
        notDearer,
        timedOut: points.filter(hasTimedOut).length,
        summary: summarizePoints(points),
        points,
      },
    },
  ]
}

/** Also where neither has a plan, or inferline has none; not where optimal was stopped. */
function isNotDearer({ strategies: { optimal, inferline } }: PaperRow): boolean {
  if (optimal.timedOut === true) return false
  if (inferline.costPerHour === undefined) return true
  return optimal.costPerHour !== undefined && optimal.costPerHour <= inferline.costPerHour + grain
}

function hasTimedOut({ strategies }: PaperRow): boolean {
  return Object.values(strategies).some(({ timedOut }) => timedOut === true)
}
