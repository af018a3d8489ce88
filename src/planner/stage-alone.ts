import type { Profile, StageProfile } from '../profile/profile.ts'
import type { StageGraph } from './stage-graph.ts'

/**
 * The profile without what batches take longer whose replica had slept. Wherever something else takes less time than it
 * will in the end, replicas sleep more often: what is to be a lower bound must not count that.
 */
export function withoutWakes(profile: Profile): Profile {
  const stages = Object.entries(profile.stages).map(([name, { tiers, models, ...stage }]) => {
    const own = tiers && { tiers: tiersWithoutWakes(tiers) }
    return [name, { ...stage, ...own, ...(models && { models: modelsWithoutWakes(models) }) }]
  })
  return { ...profile, stages: Object.fromEntries(stages) }
}

function modelsWithoutWakes(models: NonNullable<StageProfile['models']>) {
  const each = Object.entries(models).map(([name, model]) => {
    return [name, { ...model, tiers: tiersWithoutWakes(model.tiers) }] as const
  })
  return Object.fromEntries(each)
}

function tiersWithoutWakes(tiers: NonNullable<StageProfile['tiers']>) {
  const each = Object.entries(tiers).map(([name, { wakeMs: _, ...tier }]) => [name, tier] as const)
  return Object.fromEntries(each)
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
