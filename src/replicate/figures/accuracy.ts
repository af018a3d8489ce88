import type { Plan } from '../../planner/plan.ts'
import { Planner } from '../../planner/planner.ts'
import type { Hardware } from '../../profile/hardware.ts'
import type { ModelProfile, Profile } from '../../profile/profile.ts'
import { Trace } from '../../workload/trace.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { type Basis, paperPipeline } from '../paper-pipelines.ts'
import { Steps } from '../steps.ts'
import type { AccuracyData, AccuracyPlan } from './accuracy-data.ts'
import { presentAccuracy } from './accuracy-presentation.ts'

const durationMs = 30_000
const ratePerS = 100
const cv2 = 1

/** Share of ImageNet that each names rightly (top-1), as published with its weights in torchvision. */
const accuracies = { alexnet: 0.565, resnet50: 0.761, resnet152: 0.783 }

export const accuracy: Figure<AccuracyData> = {
  name: 'accuracy',
  title: 'accuracy, cost and latency over model variants',
  question:
    'The question of IPA: what do better models in a pipeline cost, and which plans does a weighted sum of accuracy and cost choose among those that nothing beats?',
  protocol: `A pipeline of two classifiers, one after the other, each of which may be AlexNet, ResNet-50 or ResNet-152; the accuracy of the pipeline is the product of the two. For each objective, and each accuracy that some choice of models has, the cheapest plan at ${ratePerS} requests/s (cv2 ${cv2}) is found; plans that another equals or beats in cost, latency and accuracy are left out. Marked are the plans that IPA’s weighted sum (accuracy, less a weight times the cost, less a trifle for each row of a batch) would choose.`,
  differences: [
    'IPA (arXiv 2308.12871) has YOLO and ResNet variants of its own on CPUs; here are the three image models whose throughput InferLine publishes, on CPU, K80 and V100.',
    'Accuracies are those published with the models, ImageNet top-1; that they multiply is IPA’s assumption, kept.',
    'The weights are ours: IPA’s are in other units of cost.',
  ],
  isMeasured: false,
  run,
  present: presentAccuracy,
}

async function run(terms: FigureTerms): Promise<AccuracyData> {
  const { quick, seed, signal } = terms
  const latencies = quick ? [150, 300] : [75, 100, 150, 200, 300, 500]
  const steps = new Steps(terms, latencies.length)
  const trace = Trace.gamma({ ratePerS, cv2, durationMs, seed })
  const planner = new Planner({ ...(await variants()), strategy: 'optimal' })
  const plans: AccuracyPlan[] = []
  for (const latencyMs of latencies) {
    steps.next(`plans for ${latencyMs} ms`)
    const front = await planner.frontier(trace, { latenciesMs: [latencyMs], signal })
    plans.push(...front.map(planOf))
  }
  return { ratePerS, cv2, durationMs, plans: plans.filter((plan) => !isBeaten(plan, plans)) }
}

function planOf({ objective, configuration, costPerHour, estimate }: Plan): AccuracyPlan {
  const stages = Object.values(configuration)
  return {
    latencyMs: objective.latencyMs,
    accuracy: estimate.accuracy ?? 1,
    costPerHour,
    p99Ms: estimate.p99Ms,
    batches: stages.reduce((sum, { maxBatch }) => sum + maxBatch, 0),
    configuration: stages
      .map(
        ({ model, replicas, tier, maxBatch }) =>
          `${model} ${replicas} x ${tier}, batch ${maxBatch}`,
      )
      .join('; '),
  }
}

/** Another is at least as good in everything, and better in something. */
function isBeaten(plan: AccuracyPlan, plans: readonly AccuracyPlan[]): boolean {
  const badness = ({ latencyMs, costPerHour, accuracy }: AccuracyPlan) => [
    latencyMs,
    costPerHour,
    -accuracy,
  ]
  const own = badness(plan)
  return plans.some((other) => {
    const pairs = badness(other).map((each, at) => [each, own[at] ?? 0] as const)
    return pairs.every(([theirs, ours]) => theirs <= ours) && pairs.some(([a, b]) => a < b)
  })
}

async function variants(): Promise<Basis> {
  const cascade = await paperPipeline('tf-cascade')
  const video = await paperPipeline('video-monitoring')
  const tiersOf = ({ profile }: Basis, stage: string) => profile.stages[stage]?.tiers ?? {}
  const models: Readonly<Record<string, ModelProfile>> = {
    alexnet: { accuracy: accuracies.alexnet, tiers: tiersOf(cascade, 'fast') },
    resnet50: { accuracy: accuracies.resnet50, tiers: tiersOf(video, 'person') },
    resnet152: { accuracy: accuracies.resnet152, tiers: tiersOf(cascade, 'slow') },
  }
  const profile: Profile = {
    version: 1,
    pipeline: 'two-classifiers',
    stages: { scene: { scaleFactor: 1, models }, object: { scaleFactor: 1, models } },
    edges: [['scene', 'object']],
  }
  return { profile, hardware: withoutWatts(cascade.hardware) }
}

/** Or plans that draw less power would be on the front for that alone. */
function withoutWatts({ tiers, ...hardware }: Hardware): Hardware {
  const bare = Object.entries(tiers).map(([name, { idleWatts: _, busyWatts: __, ...tier }]) => {
    return [name, tier] as const
  })
  return { ...hardware, tiers: Object.fromEntries(bare) }
}
