import type { Distribution, StageStats } from '../../engine/stats.ts'
import type { ModelFace } from './model-face.ts'
import { onlyVersion } from './served-model.ts'

/**
 * An entry of Triton's statistics extension, as far as an engine has the figures, since it started: all requests, whoever
 * sent them. A row counts as an inference at each stage that ran it. What is not measured is left out.
 */
export function modelStats({ name, engine }: ModelFace): object {
  const { requests, latencyMs, stages } = engine.stats()
  const all: readonly StageStats[] = Object.values<StageStats>(stages)
  const { completed, ...others } = requests
  const inferences = sum(all.map(({ rows }) => rows))
  return {
    name,
    version: onlyVersion,
    inference_count: inferences,
    execution_count: sum(all.map(({ batches }) => batches)),
    inference_stats: {
      success: { count: completed, ns: totalNs([latencyMs]) },
      fail: { count: sum(Object.values(others)) },
      queue: { count: inferences, ns: totalNs(all.map(({ queueMs }) => queueMs)) },
      compute_infer: { count: inferences, ns: totalNs(all.map(({ serviceMs }) => serviceMs)) },
      cache_hit: {
        count: sum(all.map(({ cache }) => (cache?.hitRows ?? 0) + (cache?.sharedRows ?? 0))),
      },
      cache_miss: { count: sum(all.map(({ cache }) => cache?.missedRows ?? 0)) },
    },
  }
}

function totalNs(distributions: readonly Distribution[]): number {
  return Math.round(sum(distributions.map(({ count, mean }) => count * mean)) * 1e6)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
