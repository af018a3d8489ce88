import type { Profile, TierProfile } from '../../profile/profile.ts'
import { Trace } from '../../workload/trace.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { type Basis, paperPipeline, profileDifferences } from '../paper-pipelines.ts'
import { planOrRefusal } from '../plan-or-refusal.ts'
import { Steps } from '../steps.ts'
import type { Fig8Data, Fig8Point, Fig8Question } from './fig8-data.ts'
import { presentFig8 } from './fig8-presentation.ts'

const durationMs = 60_000
const usual = { latencyMs: 150, ratePerS: 150, translationFactor: 0.15 }
const cv2s = [1, 4]

export const fig8: Figure<Fig8Data> = {
  name: 'fig8',
  title: 'what the cost depends on',
  question:
    'How does the cost of a plan change with the objective, the rate and the burstiness of the arrivals?',
  protocol: `The Social Media pipeline is planned for (optimal) over traces of ${durationMs / 1000} s, changing one thing at a time from ${usual.ratePerS} requests/s, ${usual.latencyMs} ms for 99 % and cv2 1 or 4. The last series changes the factor by which the service times of the published translation model are multiplied.`,
  differences: [
    ...profileDifferences,
    'Language identification has published numbers for CPUs only, so it cannot move from a GPU to a CPU as the objective loosens.',
  ],
  isMeasured: false,
  run,
  present: presentFig8,
}

async function run(terms: FigureTerms): Promise<Fig8Data> {
  const questions = questionsOf(terms)
  const steps = new Steps(terms, questions.length)
  const basis = await paperPipeline('social-media')
  const points: Fig8Point[] = []
  for (const question of questions) {
    const { latencyMs, ratePerS, cv2 } = question
    steps.next(`${question.sweep}: ${latencyMs} ms, ${ratePerS}/s, cv2 ${cv2}`)
    points.push(await runPoint(question, { basis, terms }))
  }
  return { durationMs, ...usual, points }
}

function questionsOf({ quick }: FigureTerms): readonly Fig8Question[] {
  const latencies = quick ? [100, 150, 300] : [60, 75, 100, 125, 150, 200, 300, 400, 500]
  const rates = quick ? [50, 150, 300] : [50, 100, 150, 200, 250, 300, 400]
  const burstiness = quick ? [1, 4] : [0.5, 1, 2, 3, 4, 6, 8]
  const factors = quick ? [0.15, 0.3] : [0.1, 0.15, 0.2, 0.25, 0.3]
  return [
    ...cv2s.flatMap((cv2) => [
      ...latencies.map((latencyMs) => ({ sweep: 'objective' as const, ...usual, cv2, latencyMs })),
      ...rates.map((ratePerS) => ({ sweep: 'rate' as const, ...usual, cv2, ratePerS })),
      ...factors.map((translationFactor) => {
        return { sweep: 'translation' as const, ...usual, cv2, translationFactor }
      }),
    ]),
    ...burstiness.map((cv2) => ({ sweep: 'cv2' as const, ...usual, cv2 })),
  ]
}

async function runPoint(
  question: Fig8Question,
  { basis, terms }: { readonly basis: Basis; readonly terms: FigureTerms },
): Promise<Fig8Point> {
  const { latencyMs, ratePerS, cv2, translationFactor } = question
  const { seed, signal } = terms
  const profile = withTranslation(basis.profile, translationFactor / usual.translationFactor)
  const trace = Trace.gamma({ ratePerS, cv2, durationMs, seed })
  const planned = await planOrRefusal('optimal', {
    basis: { ...basis, profile },
    trace,
    objective: { latencyMs, percentile: 99 },
    signal,
  })
  if ('refusal' in planned) return { ...question, refusal: planned.refusal }
  const { costPerHour, configuration } = planned.plan
  const stages = Object.entries(configuration).map(([stage, { tier, maxBatch, replicas }]) => {
    return `${stage} ${replicas} x ${tier}, batch ${maxBatch}`
  })
  return { ...question, costPerHour, configuration: stages.join('; ') }
}

function withTranslation(profile: Profile, factor: number): Profile {
  const { translation, ...others } = profile.stages
  if (translation?.tiers === undefined) return profile
  const tiers = Object.entries(translation.tiers).map(
    ([tier, { points }]): [string, TierProfile] => {
      const scaled = points.map(({ batch, meanMs, p99Ms }) => {
        return { batch, meanMs: meanMs * factor, p99Ms: p99Ms * factor }
      })
      return [tier, { points: scaled }]
    },
  )
  const stage = { ...translation, tiers: Object.fromEntries(tiers) }
  return { ...profile, stages: { ...others, translation: stage } }
}
