// One engine, whole: made once, then only its figures change.
import type { LiveEngine, LivePoint } from '../../observe/live-snapshot.ts'
import { ChartDrawing, type ChartMark } from './draw-chart.ts'
import { GraphDrawing } from './draw-graph.ts'
import { LogDrawing } from './draw-log.ts'
import { outcomeSheet, predictionSheet, stageSheet, TableDrawing } from './draw-tables.ts'
import { element, setAttributes, setText } from './element.ts'
import { ms, number, span } from './format.ts'
import { type HeadFigure, headFigures, verdictOf } from './verdict.ts'

const minuteMs = 60_000
const longestMinutes = 5

export class EngineDrawing {
  readonly element = element('article', { class: 'engine' })
  readonly #verdict = element('p', { class: 'verdict' })
  readonly #subtitle = element('p', { class: 'faint' })
  readonly #figures = element('dl', { class: 'figures' })
  readonly #graph = new GraphDrawing()
  readonly #legend = element('p', { class: 'legend' })
  readonly #readout = element('span', { class: 'faint' })
  readonly #latency = new ChartDrawing(
    {
      label: 'Latency over the last five minutes: p50, p95 and p99, against the objective',
      lines: [
        { name: 'p50', kind: 'p50' },
        { name: 'p95', kind: 'p95' },
        { name: 'p99', kind: 'p99' },
      ],
      unit: 'ms',
      heightPx: 230,
    },
    this.#readout,
  )
  readonly #rates = new ChartDrawing({
    label: 'Requests per second over the last five minutes',
    lines: [{ name: 'requests', kind: 'rate' }],
    unit: '/s',
    heightPx: 110,
  })
  readonly #stages = new TableDrawing('Stages')
  readonly #prediction = new TableDrawing('Predicted beside measured')
  readonly #predictionCard = card('Predicted beside measured', this.#prediction.element)
  readonly #reasons = element('dl', { class: 'reasons' })
  readonly #reasonsCard = card('Why it was planned so', this.#reasons)
  #shownReasons = ''
  readonly #outcomes = new TableDrawing('Requests by outcome')
  readonly #log = new LogDrawing()
  readonly #tuner = element('p', { class: 'faint' })
  #engine: LiveEngine
  #points: readonly LivePoint[] = []

  constructor(engine: LiveEngine) {
    this.#engine = engine
    this.element.append(
      element(
        'header',
        { class: 'engine-head' },
        element('div', {}, element('h2', {}, engine.name), this.#subtitle),
        this.#verdict,
      ),
      this.#figures,
      card('Pipeline', this.#graph.element),
      element(
        'div',
        { class: 'columns' },
        card(
          'Latency and traffic',
          this.#legend,
          this.#latency.element,
          this.#readout,
          element('h4', {}, 'Requests per second'),
          this.#rates.element,
        ),
        card('Tuner and changes', this.#tuner, this.#log.element),
      ),
      card('Stages', this.#stages.element),
      element(
        'div',
        { class: 'columns even' },
        this.#predictionCard,
        element(
          'div',
          { class: 'stack' },
          card('Requests by outcome', this.#outcomes.element),
          this.#reasonsCard,
        ),
      ),
    )
    // What depends on the width is drawn again when that changes.
    new ResizeObserver(() => this.#drawSized()).observe(this.element)
  }

  show(engine: LiveEngine, { points }: { readonly points: readonly LivePoint[] }): void {
    this.#engine = engine
    this.#points = points
    const { objective, pipeline, windowMs, plan } = engine
    const promise =
      objective === undefined
        ? 'no objective'
        : `p${objective.percentile} within ${objective.latencyMs} ms`
    setText(
      this.#subtitle,
      `Pipeline ${pipeline}, ${promise}. What is recent: the last ${span(windowMs)}.`,
    )
    const verdict = verdictOf(engine)
    setText(this.#verdict, verdict.text)
    setAttributes(this.#verdict, { 'data-state': verdict.state })
    showFigures(this.#figures, headFigures(engine))
    this.#stages.show(stageSheet(engine))
    const prediction = predictionSheet(engine)
    this.#predictionCard.hidden = prediction === undefined
    if (prediction !== undefined) this.#prediction.show(prediction)
    this.#showReasons(plan?.stages ?? {})
    this.#outcomes.show(outcomeSheet(engine))
    this.#log.show(engine.log)
    setText(this.#tuner, tunerText(engine))
    this.#drawSized()
  }

  #drawSized(): void {
    const { objective, plan, latency } = this.#engine
    this.#graph.show(this.#engine)
    const untilMs = this.#points.at(-1)?.atMs ?? Date.now()
    const marks: ChartMark[] = []
    if (objective !== undefined) {
      const name = `objective ${objective.latencyMs} ms`
      marks.push({ name, value: objective.latencyMs, kind: 'objective' })
    }
    if (plan?.p99Ms !== undefined) {
      marks.push({ name: `predicted p99`, value: plan.p99Ms, kind: 'predicted' })
    }
    // Of the last minutes, as many as something is known of.
    const knownMs = untilMs - (this.#points[0]?.atMs ?? untilMs)
    const minutes = Math.min(longestMinutes, Math.max(1, Math.ceil(knownMs / minuteMs)))
    const spanMs = minutes * minuteMs
    const latencies = this.#points.map(({ atMs, p50Ms, p95Ms, p99Ms }) => {
      return { atMs, values: [p50Ms, p95Ms, p99Ms] }
    })
    this.#latency.show({ points: latencies, marks, untilMs, spanMs })
    const rates = this.#points.map(({ atMs, ratePerS }) => ({ atMs, values: [ratePerS] }))
    this.#rates.show({ points: rates, marks: [], untilMs, spanMs })
    showLegend(this.#legend, latency.recent)
  }

  /** Why the plan is as it is: changes where another plan is served. */
  #showReasons(stages: NonNullable<LiveEngine['plan']>['stages']): void {
    const reasons = Object.entries(stages).flatMap(([name, { reason }]) => {
      return reason === undefined ? [] : [[name, reason] as const]
    })
    this.#reasonsCard.hidden = reasons.length === 0
    const wanted = JSON.stringify(reasons)
    if (this.#shownReasons === wanted) return
    this.#shownReasons = wanted
    const items = reasons.map(([name, reason]) => {
      return element('div', {}, element('dt', {}, name), element('dd', {}, reason))
    })
    this.#reasons.replaceChildren(...items)
  }
}

function card(title: string, ...content: readonly Node[]): HTMLElement {
  return element('section', { class: 'card' }, element('h3', {}, title), ...content)
}

function showFigures(list: HTMLElement, figures: readonly HeadFigure[]): void {
  if (list.childElementCount !== figures.length) {
    const made = figures.map(() => {
      return element(
        'div',
        {},
        element('dt'),
        element('dd', { class: 'value' }),
        element('dd', { class: 'note' }),
      )
    })
    list.replaceChildren(...made)
  }
  figures.forEach(({ name, value, note, isBad = false }, index) => {
    const figure = list.children[index] as HTMLElement
    const [title, big, small] = figure.children
    setText(title as Node, name)
    setText(big as Node, value)
    setText(small as Node, note)
    setAttributes(figure, { 'data-bad': isBad ? 'yes' : undefined })
  })
}

function showLegend(legend: HTMLElement, recent: LiveEngine['latency']['recent']): void {
  const values = { p50: recent?.p50Ms, p95: recent?.p95Ms, p99: recent?.p99Ms }
  if (legend.childElementCount === 0) {
    for (const name of Object.keys(values)) {
      legend.append(
        element('span', { class: `key ${name}` }, element('b', {}, name), element('span')),
      )
    }
  }
  Object.values(values).forEach((value, index) => {
    setText(legend.children[index]?.lastElementChild as Node, ` ${ms(value)}`)
  })
}

function tunerText({ tuner }: LiveEngine): string {
  if (tuner === undefined) return 'No tuner is watched.'
  const { running, level, scaleUps, scaleDowns, replans } = tuner
  const traffic = `traffic is ${number(level)} times what was planned for`
  const done = `${scaleUps} up, ${scaleDowns} down${replans > 0 ? `, ${replans} new plans` : ''}`
  return `${running ? 'Tuning' : 'The tuner is stopped'}: ${traffic}. ${done}.`
}
