import type { Profile } from '../profile/profile.ts'
import type { StageGraph } from './stage-graph.ts'

/**
 * A profile of one stage, whose requests are those that visit it in the whole: the paths are as many and in the same order,
 * so the same draws take the same ones. Undefined where requests have items or several rows.
 */
export function profileOfStage(
  profile: Profile,
  { graph, stage }: { readonly graph: StageGraph; readonly stage: number },
): Profile | undefined {
  const name = graph.names[stage] as string
  const whole = profile.stages[name]
  if (graph.ways === undefined || whole === undefined) return undefined
  const { tiers, models, kind } = whole
  return {
    version: 1,
    pipeline: `${profile.pipeline}, ${name} alone`,
    stages: {
      [name]: {
        scaleFactor: graph.meanRows[stage] ?? 1,
        ...(tiers !== undefined && { tiers }),
        ...(models !== undefined && { models }),
        ...(kind !== undefined && { kind }),
      },
    },
    edges: [],
    paths: graph.ways.map(({ share, visited }) => ({
      share,
      visits: visited[stage] === true ? [name] : [],
    })),
    ...(profile.overhead !== undefined && {
      overhead: { requestMs: 0, hopMs: profile.overhead.hopMs },
    }),
  }
}
