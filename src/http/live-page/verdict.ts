import type { LiveEngine } from '../../observe/live-snapshot.ts'
import * as format from './format.ts'

/** Whether the promise is kept, in words and for a colour beside them. */
export interface Verdict {
  readonly state: 'kept' | 'missed' | 'unknown'
  readonly text: string
}

/** What the last minute says of the objective. Pure. */
export function verdictOf(engine: LiveEngine): Verdict {
  const { objective, attainment, state } = engine
  if (state === 'ended') return { state: 'unknown', text: 'The engine is closed' }
  if (objective === undefined) return { state: 'unknown', text: 'No objective is set' }
  const share = attainment?.lastMinute.attainment
  if (share === undefined) return { state: 'unknown', text: 'No request ended in the last minute' }
  const kept = share >= objective.percentile / 100
  const within = `${format.attainment(share)} of requests within ${objective.latencyMs} ms`
  return kept
    ? { state: 'kept', text: `Promise kept: ${within}` }
    : { state: 'missed', text: `Promise missed: ${within}` }
}

/** One figure that is looked at first. */
export interface HeadFigure {
  readonly name: string
  readonly value: string
  readonly note: string
  /** A figure that is not as it should be says so in its note, too. */
  readonly isBad?: boolean
}

/** The figures at the top. Pure. */
export function headFigures(engine: LiveEngine): readonly HeadFigure[] {
  const { attainment, objective, latency, plan } = engine
  const wanted = objective === undefined ? undefined : objective.percentile / 100
  const share = (
    name: string,
    of: { attainment?: number | undefined; coveredMs: number } | undefined,
  ) => {
    const value = of?.attainment
    const isBad = value !== undefined && wanted !== undefined && value < wanted
    const note = isBad
      ? `below ${objective?.percentile} %`
      : `of ${objective?.percentile ?? 100} % promised`
    return { name, value: format.attainment(value), note, isBad }
  }
  const p99Ms = latency.recent?.p99Ms
  const isSlow = p99Ms !== undefined && objective !== undefined && p99Ms > objective.latencyMs
  const shares =
    attainment === undefined
      ? []
      : [
          share('Attainment, 1 min', attainment.lastMinute),
          share('Attainment, 30 min', attainment.last30Minutes),
          burnFigure(engine),
        ]
  return [
    ...shares,
    {
      name: 'Latency p99',
      value: format.ms(p99Ms),
      note:
        objective === undefined
          ? 'no objective'
          : `${isSlow ? 'over' : 'of'} ${objective.latencyMs} ms`,
      isBad: isSlow,
    },
    {
      name: 'Requests',
      value: format.rate(engine.ratePerS),
      note: `${format.count(engine.pendingRequests)} pending`,
    },
    {
      name: 'Cost per hour',
      value: format.cost(engine.costPerHour),
      note:
        plan?.costPerHour === undefined
          ? 'of all replicas'
          : `${format.cost(plan.costPerHour)} planned`,
    },
  ]
}

/** Above 1 the misses that the objective allows run out before their time. */
function burnFigure({ attainment }: LiveEngine): HeadFigure {
  const burn = attainment?.lastMinute.burnRate
  const half = attainment?.last30Minutes.burnRate
  const isBad = burn !== undefined && burn > 1
  return {
    name: 'Budget burn, 1 min',
    value: burn === undefined ? format.number(burn) : `${format.number(burn)}×`,
    note: `${isBad ? 'too fast; ' : ''}30 min ${half === undefined ? '–' : `${format.number(half)}×`}`,
    isBad,
  }
}
