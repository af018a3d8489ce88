// The pipeline as a graph: built once for each shape of the page, then only its texts and bars change.
import type { LiveEdge, LiveEngine, LiveNode } from '../../observe/live-snapshot.ts'
import { drawing, setAttributes, setText } from './element.ts'
import { count, number, percent, rate } from './format.ts'
import { layOut, type PlacedEdge, type PlacedNode } from './lay-out.ts'

const margin = 6
/** Below it the graph goes down instead of to the right. */
const leastScale = 0.72
const padding = 14

type Update = (engine: LiveEngine) => void

export class GraphDrawing {
  readonly element = document.createElement('div')
  #updates: readonly Update[] = []
  #direction: 'right' | 'down' | undefined

  constructor() {
    this.element.className = 'graph'
  }

  /** Draws what is there now, in the width that there is. */
  show(engine: LiveEngine): void {
    const direction = this.#directionFor(engine)
    if (direction !== this.#direction) this.#build(engine, direction)
    for (const update of this.#updates) update(engine)
  }

  #directionFor({ graph }: LiveEngine): 'right' | 'down' {
    const room = this.element.clientWidth
    if (room === 0) return this.#direction ?? 'right'
    const { width } = layOut(graph, { direction: 'right' })
    return room >= width * leastScale ? 'right' : 'down'
  }

  #build({ graph, pipeline }: LiveEngine, direction: 'right' | 'down'): void {
    this.#direction = direction
    const { width, height, nodes, edges } = layOut(graph, { direction })
    const [wide, high] = [width + 2 * margin, height + 2 * margin]
    const svg = drawing('svg', {
      viewBox: `${-margin} ${-margin} ${wide} ${high}`,
      width: wide,
      height: high,
      role: 'img',
      'aria-label': `Pipeline ${pipeline}: ${graph.edges.map(describeEdge).join(', ')}. The table of stages has the figures.`,
    })
    svg.append(arrowHead())
    const drawnEdges = edges.map((edge, index) => {
      return drawEdge(edge, {
        edge: graph.edges[index] as LiveEdge,
        isLabelled: isLabelled(graph.edges, index),
      })
    })
    svg.append(...drawnEdges.map(({ line }) => line), ...drawnEdges.map(({ label }) => label))
    const drawnNodes = nodes.map((node) => {
      const stage = graph.stages.find(({ name }) => name === node.name)
      return stage === undefined ? drawEnd(node) : drawStage(node, stage)
    })
    svg.append(...drawnNodes.map(({ group }) => group))
    this.#updates = [...drawnEdges, ...drawnNodes].map(({ update }) => update)
    this.element.replaceChildren(svg)
  }
}

function describeEdge({ from, to, condition }: LiveEdge): string {
  return `${from} to ${to}${condition === undefined ? '' : ` where ${condition}`}`
}

/** One edge of each stage says how many rows come: the one with the condition, or the first. */
function isLabelled(edges: readonly LiveEdge[], index: number): boolean {
  const { to, condition } = edges[index] as LiveEdge
  if (condition !== undefined) return true
  const into = edges.filter((edge) => edge.to === to)
  return into.every((edge) => edge.condition === undefined) && into[0] === edges[index]
}

function drawEdge(
  placed: PlacedEdge,
  { edge, isLabelled }: { readonly edge: LiveEdge; readonly isLabelled: boolean },
) {
  const kind = edge.condition === undefined ? 'edge' : 'edge conditional'
  const line = drawing('path', { d: placed.path, class: kind, 'marker-end': 'url(#arrow)' })
  const { x, y } = placed.label
  const flow = drawing('tspan', { x, dy: edge.condition === undefined ? -7 : 14, class: 'flow' })
  const label = drawing('text', { x, y, class: 'edge-label' })
  if (edge.condition !== undefined) {
    label.append(
      drawing('tspan', { x, dy: -7 }, shorten(edge.condition, 22)),
      titled(edge.condition),
    )
  }
  label.append(flow)
  const update = (engine: LiveEngine) => {
    const { to } = edge
    const ratePerS = to === 'result' ? undefined : engine.stages[to]?.ratePerS
    setText(flow, isLabelled && ratePerS !== undefined ? rate(ratePerS) : '')
    setAttributes(line, { 'data-idle': ratePerS === 0 ? 'yes' : undefined })
  }
  return { line, label, update }
}

/** Where requests come from, and where results go. */
function drawEnd({ name, x, y, width, height }: PlacedNode) {
  const group = drawing('g', { class: 'end', transform: `translate(${x} ${y})` })
  const middle = { x: width / 2, 'text-anchor': 'middle' }
  const flow = drawing('text', { ...middle, y: 31, class: 'small' })
  group.append(
    drawing('rect', { width, height, rx: height / 2 }),
    drawing('text', { ...middle, y: 17 }, name === 'request' ? 'requests' : 'results'),
    flow,
  )
  const update = (engine: LiveEngine) => {
    const { recentRequests, windowMs, ratePerS } = engine
    const answered = windowMs > 0 ? (1000 * recentRequests.completed) / windowMs : undefined
    setText(flow, rate(name === 'request' ? ratePerS : answered))
  }
  return { group, update }
}

function drawStage({ x, y, width, height }: PlacedNode, { name, kind, fanOut }: LiveNode) {
  const group = drawing('g', { class: 'stage', transform: `translate(${x} ${y})` })
  const right = { x: width - padding, 'text-anchor': 'end' }
  const left = { x: padding }
  const waiting = drawing('text', { ...right, y: 48, class: 'figure' })
  const replicas = drawing('text', { ...left, y: 48, class: 'figure' })
  const batch = drawing('text', { ...left, y: 69, class: 'small' })
  const rateText = drawing('text', { ...right, y: 69, class: 'small' })
  const busy = drawing('text', { ...left, y: 90, class: 'small' })
  const barWidth = width - 2 * padding
  const bar = drawing('rect', { x: padding, y: 98, width: 0, height: 6, rx: 3, class: 'bar' })
  group.append(
    drawing('rect', { width, height, rx: 10, class: 'card' }),
    drawing('text', { ...left, y: 25, class: 'name' }, shorten(name, 19)),
    drawing('text', { ...right, y: 25, class: 'small' }, fanOut ? `${kind}, fans out` : kind),
    titled(name),
    ...[replicas, waiting, batch, rateText, busy],
    drawing('rect', { x: padding, y: 98, width: barWidth, height: 6, rx: 3, class: 'track' }),
    bar,
  )
  const update = ({ stages }: LiveEngine) => {
    const stage = stages[name]
    if (stage === undefined) return
    const { utilization = 0, waitingRows } = stage
    setText(replicas, `${stage.replicas} ${stage.replicas === 1 ? 'replica' : 'replicas'}`)
    setText(waiting, waitingRows === 0 ? 'none waits' : `${count(waitingRows)} wait`)
    setText(batch, `batch ${number(stage.meanBatch)} of ${stage.maxBatch}`)
    setText(rateText, `${rate(stage.ratePerS)}`)
    const full = utilization >= 0.95 ? ', full' : ''
    setText(busy, `busy ${percent(stage.utilization)}${full}`)
    setAttributes(bar, {
      width: Math.round(barWidth * utilization),
      'data-full': full === '' ? undefined : 'yes',
    })
  }
  return { group, update }
}

function arrowHead(): SVGElement {
  const marker = drawing('marker', {
    id: 'arrow',
    viewBox: '0 0 8 8',
    refX: 7,
    refY: 4,
    markerWidth: 7,
    markerHeight: 7,
    orient: 'auto-start-reverse',
  })
  marker.append(drawing('path', { d: 'M0 0.5L7 4L0 7.5z', class: 'arrow' }))
  return drawing('defs', {}, marker)
}

function titled(text: string): SVGElement {
  return drawing('title', {}, text)
}

function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
