import { mapTiers } from '../profile/map-tiers.ts'
import type { Profile } from '../profile/profile.ts'
import type { StageGraph } from './stage-graph.ts'

/**
 * The profile without what batches take longer whose replica had slept. Wherever something else takes less time than it
 * will in the end, replicas sleep more often: what is to be a lower bound must not count that.
 */
export function withoutWakes(profile: Profile): Profile {
  const stages = Object.entries(profile.stages).map(([name, stage]) => {
    return [name, mapTiers(stage, ({ wakeMs: _, ...tier }) => tier)] as const
  })
  return { ...profile, stages: Object.fromEntries(stages) }
}

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
  const { tiers, models, kind, hopMs } = whole
  return withoutWakes({
    version: 1,
    pipeline: `${profile.pipeline}, ${name} alone`,
    stages: {
      [name]: {
        scaleFactor: graph.meanRows[stage] ?? 1,
        ...(tiers !== undefined && { tiers }),
        ...(models !== undefined && { models }),
        ...(kind !== undefined && { kind }),
        ...(hopMs !== undefined && { hopMs }),
      },
    },
    edges: [],
    paths: graph.ways.map(({ share, visited }) => ({
      share,
      visits: visited[stage] === true ? [name] : [],
    })),
    ...(profile.overhead !== undefined && {
      overhead: { ...profile.overhead, requestMs: 0 },
    }),
  })
}
