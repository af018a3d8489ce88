import type { PlannedStage } from '../../estimator/estimate.ts'
import type { Profile, StageProfile } from '../../profile/profile.ts'
import { type Basis, paperPipeline } from '../paper-pipelines.ts'

/** The whole, and each stage as a pipeline of its own. */
export interface RetrievalBasis {
  readonly whole: Basis
  readonly alone: Readonly<Record<'retriever' | 'model', Basis>>
  /** Of a batch as large as the stage may have. */
  serviceMs(stage: string, planned: PlannedStage): number
}

/** A retriever and the model that reads what it found, by the numbers of AlexNet and of ResNet-152. */
export async function retrievalPipeline(): Promise<RetrievalBasis> {
  const { profile, hardware } = await paperPipeline('tf-cascade')
  const { fast, slow } = profile.stages
  const retriever = onceEach(fast)
  const model = onceEach(slow)
  const pipeline = (name: string, stages: Profile['stages'], edges: Profile['edges'] = []) => ({
    profile: { version: 1 as const, pipeline: name, stages, edges },
    hardware,
  })
  return {
    whole: pipeline('retrieval', { retriever, model }, [['retriever', 'model']]),
    alone: { retriever: pipeline('retriever', { retriever }), model: pipeline('model', { model }) },
    serviceMs(stage, { tier, maxBatch }) {
      const { points = [] } = { retriever, model }[stage]?.tiers?.[tier] ?? {}
      return points.find(({ batch }) => batch >= maxBatch)?.meanMs ?? Number.NaN
    },
  }
}

function onceEach(stage: StageProfile | undefined): StageProfile {
  return { scaleFactor: 1, ...(stage?.tiers && { tiers: stage.tiers }) }
}
