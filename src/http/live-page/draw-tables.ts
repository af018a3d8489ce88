// Tables: stages, what was predicted beside what is measured, and what became of requests. Pure functions to rows, and one
// that shows them.
import type { LiveEngine, LiveOutcome } from '../../observe/live-snapshot.ts'
import { element, setText } from './element.ts'
import * as format from './format.ts'

export interface Sheet {
  readonly heading: readonly string[]
  /** The first cell of each names the row. */
  readonly rows: readonly (readonly string[])[]
}

/** A table whose cells change and whose rows stay. */
export class TableDrawing {
  readonly element: HTMLElement
  readonly #table = element('table')
  #shape = ''

  constructor(caption: string) {
    this.#table.append(element('caption', { class: 'hidden' }, caption))
    // A wide table scrolls by itself: the page never does.
    this.element = element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      this.#table,
    )
  }

  show({ heading, rows }: Sheet): void {
    const shape = JSON.stringify([heading, rows.map(([name]) => name)])
    if (shape !== this.#shape) this.#build({ heading, rows })
    this.#shape = shape
    const body = this.#table.tBodies[0]
    rows.forEach((row, index) => {
      row.forEach((text, column) => {
        const cell = body?.rows[index]?.cells[column]
        if (cell !== undefined) setText(cell, text)
      })
    })
  }

  #build({ heading, rows }: Sheet): void {
    const titles = heading.map((title) => element('th', { scope: 'col' }, title))
    const lines = rows.map(([name = '', ...cells]) => {
      return element(
        'tr',
        {},
        element('th', { scope: 'row' }, name),
        ...cells.map(() => element('td')),
      )
    })
    this.#table.tHead?.remove()
    for (const body of [...this.#table.tBodies]) body.remove()
    this.#table.append(
      element('thead', {}, element('tr', {}, ...titles)),
      element('tbody', {}, ...lines),
    )
  }
}

export function stageSheet({ graph, stages }: LiveEngine): Sheet {
  const rows = graph.stages.map(({ name }) => {
    const stage = stages[name]
    return [
      name,
      [stage?.tier, stage?.model].filter((text) => text !== undefined).join(', '),
      format.count(stage?.replicas),
      `${format.number(stage?.meanBatch)} of ${stage?.maxBatch ?? ''}`,
      format.percent(stage?.utilization),
      format.rate(stage?.ratePerS),
      format.count(stage?.waitingRows),
      format.ms(stage?.queue?.p50Ms),
      format.ms(stage?.queue?.p99Ms),
      format.ms(stage?.service?.p50Ms),
      format.ms(stage?.service?.p99Ms),
      format.count(stage?.failedRows),
      format.count(stage?.shedRows),
    ]
  })
  const heading = [
    'Stage',
    'Runs on',
    'Replicas',
    'Batch',
    'Busy',
    'Rows',
    'Waiting',
    'Queue p50',
    'Queue p99',
    'Service p50',
    'Service p99',
    'Failed',
    'Shed',
  ]
  return { heading, rows }
}

/** Undefined where nothing was predicted. */
export function predictionSheet(engine: LiveEngine): Sheet | undefined {
  const { plan, latency, attainment, stages, graph, objective } = engine
  if (plan === undefined) return undefined
  const { recent } = latency
  const share = attainment?.lastMinute.attainment
  const within = objective === undefined ? 'Attainment' : `Within ${objective.latencyMs} ms`
  const whole = [
    compared('Latency p50', format.ms, [plan.p50Ms, recent?.p50Ms]),
    compared('Latency p95', format.ms, [plan.p95Ms, recent?.p95Ms]),
    compared('Latency p99', format.ms, [plan.p99Ms, recent?.p99Ms]),
    [
      within,
      format.attainment(plan.attainment),
      format.attainment(share),
      format.shareDifference(plan.attainment, share),
    ],
    compared('Cost per hour', format.cost, [plan.costPerHour, engine.costPerHour]),
  ]
  const byStage = graph.stages.flatMap(({ name }) => {
    const [planned, now] = [plan.stages[name], stages[name]]
    if (planned === undefined || now === undefined) return []
    return [
      compared(`${name}: replicas`, format.count, [planned.replicas, now.replicas]),
      compared(`${name}: batch`, format.number, [planned.meanBatch, now.meanBatch]),
      compared(`${name}: busy`, format.percent, [planned.utilization, now.utilization]),
      compared(`${name}: queue p99`, format.ms, [planned.queueP99Ms, now.queue?.p99Ms]),
    ]
  })
  return { heading: ['', 'Predicted', 'Measured', 'Difference'], rows: [...whole, ...byStage] }
}

function compared(
  name: string,
  text: (value: number | undefined) => string,
  [planned, now]: readonly [number | undefined, number | undefined],
): readonly string[] {
  return [name, text(planned), text(now), format.difference(planned, now)]
}

const outcomeNames: Readonly<Record<LiveOutcome, string>> = {
  completed: 'Completed',
  failed: 'Failed',
  deadlineExceeded: 'Deadline exceeded',
  queueFull: 'Refused, queue full',
  shed: 'Refused, no time left',
  cancelled: 'Cancelled by the client',
  closed: 'Lost at closing',
}

export function outcomeSheet({ requests, recentRequests, windowMs }: LiveEngine): Sheet {
  const rows = (Object.keys(outcomeNames) as LiveOutcome[]).map((outcome) => [
    outcomeNames[outcome],
    windowMs > 0 ? format.rate((1000 * recentRequests[outcome]) / windowMs) : '–',
    format.count(requests[outcome]),
  ])
  return { heading: ['Requests', 'Now', 'Since start'], rows }
}
