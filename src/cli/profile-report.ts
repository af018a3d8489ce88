import type { Profile, StageProfile, TierProfile } from '../profile/profile.ts'
import { formatMs, formatNumber, formatRate } from './quantity.ts'
import { formatPairs, formatTable } from './table.ts'

/** For a person to read: how long batches take, how often stages run, and what comes on top. */
export function formatProfile(profile: Profile): string {
  const stages = Object.entries(profile.stages)
  const rows = stages.flatMap(([name, stage]) =>
    tiersOf(stage).flatMap(({ tier, points }) =>
      points.map(({ batch, meanMs, p99Ms }) => [
        name,
        tier,
        String(batch),
        formatMs(meanMs),
        formatMs(p99Ms),
        formatRate((batch * 1000) / meanMs),
      ]),
    ),
  )
  const table = formatTable([['stage', 'tier', 'batch', 'mean', 'p99', 'throughput'], ...rows])
  return [`pipeline ${profile.pipeline}`, table, formatPairs(remarks(profile))].join('\n\n')
}

interface ProfiledTier extends TierProfile {
  /** With the model, where there are several. */
  readonly tier: string
}

function tiersOf({ tiers = {}, models = {} }: StageProfile): readonly ProfiledTier[] {
  const alone = Object.entries(tiers).map(([tier, profile]) => ({ tier, ...profile }))
  const several = Object.entries(models).flatMap(([model, { tiers: own }]) =>
    Object.entries(own).map(([tier, profile]) => ({ tier: `${model} on ${tier}`, ...profile })),
  )
  return [...alone, ...several]
}

function remarks(profile: Profile): [string, string][] {
  const { stages, overhead, contention = [], timeSharing, sharing = {} } = profile
  const factors = Object.entries(stages).map(([name, { scaleFactor }]) => {
    return `${name} ${formatNumber(scaleFactor)}`
  })
  const pairs: [string, string][] = [['visits per request', factors.join(', ')]]
  if (overhead) {
    const { requestMs, hopMs, loopMs = 0 } = overhead
    const loop = loopMs === 0 ? '' : `, of which the event loop is busy for ${formatMs(loopMs)}`
    pairs.push([
      'overhead',
      `${formatMs(requestMs + loopMs)} a request${loop}; ${formatMs(hopMs)} a batch`,
    ])
  }
  const slower = contention.slice(1).map(({ busyThreads, slowdown }) => {
    return `${formatNumber(slowdown)} times with ${busyThreads} busy threads`
  })
  if (slower.length > 0) pairs.push(['slower', slower.join(', ')])
  if (timeSharing) {
    const { cores, sliceMs } = timeSharing
    pairs.push([
      'time sharing',
      `${cores} cores; a thread keeps its own for ${formatMs(sliceMs)} while others wait`,
    ])
  }
  for (const [tier, points] of Object.entries(sharing)) {
    const shared = points.slice(1).map(({ busyReplicas, slowdown }) => {
      return `${formatNumber(slowdown)} times with ${busyReplicas} busy replicas`
    })
    if (shared.length > 0) pairs.push([`slower on ${tier}`, shared.join(', ')])
  }
  return pairs
}
