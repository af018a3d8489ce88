import type { StageVisit, VisitBatch, VisitState } from '../engine/visits.ts'

/** What rows of one request went through together: the same batch, or the same wait. */
export interface VisitGroup {
  readonly stage: string
  readonly state: VisitState
  /** How many rows or items. */
  readonly rows: number
  /** Of the first of them. */
  readonly queuedNs: number
  readonly beganNs: number | undefined
  /** Of the last of them; undefined where they had not ended. */
  readonly endedNs: number | undefined
  readonly attempts: number
  readonly batch: VisitBatch | undefined
}

/** The visits of a request by stage, batch and end: `most` groups, and how many visits belong to none of them. */
export function groupVisits(
  visits: readonly StageVisit[],
  most: number,
): { readonly groups: readonly VisitGroup[]; readonly leftOut: number } {
  const groups = new Map<string, VisitGroup>()
  let leftOut = 0
  for (const visit of visits) {
    // A name may hold anything; it comes last.
    const key = `${visit.state} ${visit.batch?.id} ${visit.stage}`
    const group = groups.get(key)
    if (group !== undefined) groups.set(key, together(group, visit))
    else if (groups.size < most) groups.set(key, { ...alone(visit), rows: 1 })
    else leftOut++
  }
  return { groups: [...groups.values()], leftOut }
}

function alone({ stage, state, queuedNs, beganNs, endedNs, attempts, batch }: StageVisit) {
  return { stage, state, queuedNs, beganNs, endedNs, attempts, batch }
}

function together(group: VisitGroup, visit: StageVisit): VisitGroup {
  return {
    ...group,
    rows: group.rows + 1,
    queuedNs: Math.min(group.queuedNs, visit.queuedNs),
    beganNs: ofBoth(Math.min, group.beganNs, visit.beganNs),
    endedNs: ofBoth(Math.max, group.endedNs, visit.endedNs),
    attempts: Math.max(group.attempts, visit.attempts),
  }
}

function ofBoth(
  pick: (one: number, other: number) => number,
  one: number | undefined,
  other: number | undefined,
): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return pick(one, other)
}
