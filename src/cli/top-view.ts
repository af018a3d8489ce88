// What `millrace top` shows: pure functions from a snapshot to lines.
import type { LiveEngine, LiveEvent, LiveSnapshot } from '../observe/live-snapshot.ts'
import {
  formatCost,
  formatCount,
  formatMs,
  formatNumber,
  formatRate,
  formatShare,
} from './quantity.ts'
import { formatPairs, formatTable } from './table.ts'

/** How text is made to stand out; each returns what it is given where there are no colours. */
export interface TextStyle {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

export const plainStyle: TextStyle = {
  strong: (text) => text,
  faint: (text) => text,
  good: (text) => text,
  bad: (text) => text,
}

const controlSequence = '\u001b['

export const colourStyle: TextStyle = {
  strong: (text) => `${controlSequence}1m${text}${controlSequence}22m`,
  faint: (text) => `${controlSequence}2m${text}${controlSequence}22m`,
  good: (text) => `${controlSequence}32m${text}${controlSequence}39m`,
  bad: (text) => `${controlSequence}31m${text}${controlSequence}39m`,
}

/** Events of each engine. */
const mostEvents = 8

/** All of a snapshot, for a screen or for `--once`. */
export function formatSnapshot(snapshot: LiveSnapshot, style: TextStyle = plainStyle): string {
  return snapshot.engines.map((engine) => formatEngine(engine, style)).join('\n\n')
}

/** One line an engine, for output that goes into a file: what a log of it is to say. */
export function formatLine({ atMs, engines }: LiveSnapshot): string {
  const time = new Date(atMs).toISOString()
  const lines = engines.map((engine) => {
    const { recent } = engine.latency
    const stages = Object.entries(engine.stages).map(([name, { replicas, waitingRows }]) => {
      return `${printable(name)} ${replicas}x ${waitingRows} waiting`
    })
    return [
      `${time} ${printable(engine.name)} ${engine.state}`,
      formatRate(engine.ratePerS ?? Number.NaN),
      `p50 ${formatMs(recent?.p50Ms)}`,
      `p99 ${formatMs(recent?.p99Ms)}`,
      `attainment ${formatShare(engine.attainment?.lastMinute.attainment)}`,
      ...stages,
    ].join(', ')
  })
  return lines.join('\n')
}

function formatEngine(engine: LiveEngine, style: TextStyle): string {
  return [
    title(engine, style),
    formatPairs(figures(engine)),
    stageTable(engine),
    ...events(engine.log, style),
  ].join('\n\n')
}

function title(engine: LiveEngine, style: TextStyle): string {
  const { name, pipeline, objective, attainment, state } = engine
  const promise =
    objective === undefined
      ? 'no objective'
      : `p${objective.percentile} within ${objective.latencyMs} ms`
  const share = attainment?.lastMinute.attainment
  const head = `${style.strong(printable(name))}  ${style.faint(`pipeline ${printable(pipeline)}, ${promise}`)}`
  if (state === 'ended') return `${head}  ${style.bad('closed')}`
  if (share === undefined || objective === undefined) return head
  const kept = share >= objective.percentile / 100
  const verdict = kept ? style.good('promise kept') : style.bad('promise missed')
  return `${head}  ${verdict}`
}

function figures(engine: LiveEngine): readonly (readonly [string, string])[] {
  const { latency, attainment, plan, requests, tuner } = engine
  const { recent } = latency
  const predicted = plan?.p99Ms === undefined ? '' : ` (predicted p99 ${formatMs(plan.p99Ms)})`
  const planned =
    plan?.costPerHour === undefined ? '' : ` (planned ${formatCost(plan.costPerHour)})`
  const lost = Object.entries(requests).filter(([name, count]) => name !== 'completed' && count > 0)
  const others = lost.map(([name, count]) => `, ${formatCount(count)} ${name}`).join('')
  const pairs: (readonly [string, string])[] = [
    [
      'requests',
      `${formatRate(engine.ratePerS ?? Number.NaN)}, ${formatCount(engine.pendingRequests)} pending`,
    ],
    [
      'latency',
      `p50 ${formatMs(recent?.p50Ms)}, p95 ${formatMs(recent?.p95Ms)}, p99 ${formatMs(recent?.p99Ms)}${predicted}`,
    ],
    ['outcomes', `${formatCount(requests.completed)} completed${others}`],
  ]
  if (attainment !== undefined) {
    const { lastMinute, last30Minutes } = attainment
    const window = ({ attainment: share, burnRate }: typeof lastMinute) => {
      return `${formatShare(share)}, budget burnt ${formatNumber(burnRate)} times as fast as allowed`
    }
    pairs.push(['in 1 min', window(lastMinute)], ['in 30 min', window(last30Minutes)])
  }
  if (engine.costPerHour !== undefined)
    pairs.push(['cost', `${formatCost(engine.costPerHour)}${planned}`])
  if (tuner !== undefined) {
    const running = tuner.running ? 'running' : 'stopped'
    const level = `traffic ${formatNumber(tuner.level)} times the planned`
    pairs.push(['tuner', `${running}, ${level}, ${tuner.scaleUps} up, ${tuner.scaleDowns} down`])
  }
  return pairs
}

function stageTable({ graph, stages, plan }: LiveEngine): string {
  const heading = [
    'stage',
    'tier',
    'replicas',
    'batch',
    'busy',
    'rows',
    'waiting',
    'queue p99',
    'service p99',
  ]
  const rows = graph.stages.map(({ name }) => {
    const stage = stages[name]
    const planned = plan?.stages[name]?.replicas
    const beside = planned === undefined || planned === stage?.replicas ? '' : ` (${planned})`
    return [
      printable(name),
      stage?.tier ?? '',
      `${stage?.replicas ?? 0}${beside}`,
      `${formatNumber(stage?.meanBatch)} of ${stage?.maxBatch ?? 0}`,
      formatShare(stage?.utilization),
      formatRate(stage?.ratePerS ?? Number.NaN),
      formatCount(stage?.waitingRows ?? 0),
      formatMs(stage?.queue?.p99Ms),
      formatMs(stage?.service?.p99Ms),
    ]
  })
  return formatTable([heading, ...rows])
}

function events(log: readonly LiveEvent[], style: TextStyle): readonly string[] {
  if (log.length === 0) return []
  const lines = log.slice(0, mostEvents).map(({ atMs, kind, text, reason }) => {
    const time = style.faint(new Date(atMs).toTimeString().slice(0, 8))
    const why = reason === undefined ? '' : style.faint(`  ${printable(reason)}`)
    const isBad = kind === 'fallback' || kind === 'shed' || kind === 'error'
    return `${time}  ${isBad ? style.bad(kind) : kind}  ${printable(text)}${why}`
  })
  return [lines.join('\n')]
}

/** Names and messages come from elsewhere: control characters would move the cursor, or worse. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
