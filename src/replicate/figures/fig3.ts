import type { TierProfile } from '../../profile/profile.ts'
import { Profiler } from '../../profile/profiler.ts'
import { digitsCascade } from '../digits-cascade.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { type PaperPipeline, paperPipeline } from '../paper-pipelines.ts'
import { Steps } from '../steps.ts'
import type { BatchCurve, Fig3Data } from './fig3-data.ts'
import { presentFig3 } from './fig3-presentation.ts'

/** The models of the paper's figure, and where profiles/ has their numbers. */
const published: readonly {
  readonly name: string
  readonly pipeline: PaperPipeline
  readonly stage: string
  readonly tier: string
}[] = [
  { name: 'preprocess, CPU', pipeline: 'image-processing', stage: 'preprocess', tier: 'cpu-1' },
  { name: 'language id, CPU', pipeline: 'social-media', stage: 'language', tier: 'cpu-1' },
  { name: 'ResNet-152, K80', pipeline: 'image-processing', stage: 'resnet152', tier: 'k80' },
  { name: 'translation, K80', pipeline: 'social-media', stage: 'translation', tier: 'k80' },
  { name: 'Inception, K80', pipeline: 'social-media', stage: 'image', tier: 'k80' },
]

export const fig3: Figure<Fig3Data> = {
  name: 'fig3',
  title: 'profiles: throughput and latency by batch size',
  question: 'What does a model gain from larger batches, and what does that cost in latency?',
  protocol:
    'Published: throughput of one replica by batch size, from the paper’s tables, and the time of a batch that follows from it. Live: the two models of the digits cascade (examples/01) profiled on this machine, one thread, with real images, batches of 1, 2, 4, … rows for as long as throughput rises by more than 3 %.',
  differences: [
    'The translation model’s times are 0.15 of the published ones, as in all figures here; its gain from batching is as published.',
    'Preprocessing has one published number: that batches gain nothing is what the paper says of it.',
    'The live models are small classifiers on a CPU, not the paper’s.',
  ],
  isMeasured: true,
  run,
  present: presentFig3,
}

async function run(terms: FigureTerms): Promise<Fig3Data> {
  const steps = new Steps(terms, 2)
  steps.next('published profiles')
  const curves: BatchCurve[] = []
  for (const { name, pipeline, stage, tier } of published) {
    const { profile } = await paperPipeline(pipeline)
    const measured = profile.stages[stage]?.tiers?.[tier]
    if (measured !== undefined) curves.push(curveOf(name, measured))
  }
  steps.next('profiling the digits cascade')
  return { published: curves, live: await profileHere(terms) }
}

async function profileHere({ quick, seed, signal }: FigureTerms): Promise<readonly BatchCurve[]> {
  const cascade = digitsCascade()
  if (cascade === undefined) return []
  const samples = cascade.requests({ images: 1, count: 240 })
  const minRuns = quick ? 50 : 400
  const profiler = new Profiler(cascade.pipeline, { samples, minRuns, seed })
  const profile = await profiler.run({ signal })
  return Object.entries(profile.stages).flatMap(([name, { tiers = {} }]) => {
    const measured = tiers['cpu-1']
    return measured === undefined ? [] : [curveOf(`digits ${name}`, measured)]
  })
}

function curveOf(name: string, { points }: TierProfile): BatchCurve {
  return { name, points: points.map(({ batch, meanMs, p99Ms }) => ({ batch, meanMs, p99Ms })) }
}
