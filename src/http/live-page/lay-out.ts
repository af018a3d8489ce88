// Where stages and edges are drawn: in layers along one direction, so that all edges point the same way and pass no card.
import type { LiveGraph } from '../../observe/live-snapshot.ts'

export interface LaidOut {
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
}

/** A rectangle with a name; `request` and `result` are small ones. */
export interface PlacedNode {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface PlacedEdge {
  readonly from: string
  readonly to: string
  /** Of an SVG path. */
  readonly path: string
  /** Where a label is centred. */
  readonly label: { readonly x: number; readonly y: number }
}

export interface LayOutOptions {
  /** `right`: layers are columns; `down`: layers are rows. */
  readonly direction: 'right' | 'down'
}

export const cardSize = { width: 204, height: 118 } as const
const endSize = { width: 84, height: 40 } as const
/** Between neighbours of a layer, and from one layer to the next: there is room for labels in it. */
const gaps = { right: { beside: 28, between: 132 }, down: { beside: 20, between: 74 } } as const
/** What an edge takes that passes a layer. */
const passWidth = 26
const sweeps = 6

/** A node, or a place where an edge passes a layer. */
interface Slot {
  readonly key: string
  readonly layer: number
  readonly name: string | undefined
  readonly before: Slot[]
  readonly after: Slot[]
  /** Of its middle, along the layer. */
  at: number
}

/** Pure: the same graph is drawn the same way. */
export function layOut(graph: LiveGraph, { direction }: LayOutOptions): LaidOut {
  const { layers, chains } = slotsOf(graph)
  for (let sweep = 0; sweep < sweeps; sweep++) orderLayers(layers, sweep % 2 === 0)
  const across = placeAcross(layers, direction)
  const along = placeAlong(layers, direction)
  const boxOf = (slot: Slot) => {
    const [size, layer] = [sizeOf(slot, direction), along.sizes[slot.layer] ?? 0]
    // An edge that passes goes straight, as far as the layer's cards reach.
    const length = slot.name === undefined ? layer : size.along
    const start = (along.starts[slot.layer] ?? 0) + (layer - length) / 2
    return { start, end: start + length, at: slot.at, across: size.across }
  }
  const nodes = layers.flat().flatMap((slot): PlacedNode[] => {
    if (slot.name === undefined) return []
    const { start, end, at, across: wide } = boxOf(slot)
    const [x, y] = direction === 'right' ? [start, at - wide / 2] : [at - wide / 2, start]
    const [width, height] = direction === 'right' ? [end - start, wide] : [wide, end - start]
    return [{ name: slot.name, x, y, width, height }]
  })
  const edges = chains.map(({ from, to, slots }) => {
    return { from, to, ...pathOf(slots.map(boxOf), direction) }
  })
  const [width, height] = direction === 'right' ? [along.length, across] : [across, along.length]
  return { width, height, nodes, edges }
}

function slotsOf(graph: LiveGraph) {
  const lastLayer = 1 + Math.max(0, ...graph.stages.map(({ level }) => level))
  const layers: Slot[][] = Array.from({ length: lastLayer + 1 }, () => [])
  const slots = new Map<string, Slot>()
  const add = (key: string, layer: number, name: string | undefined): Slot => {
    const slot: Slot = { key, layer, name, before: [], after: [], at: 0 }
    layers[layer]?.push(slot)
    return slot
  }
  const ends = [['request', 0] as const, ['result', lastLayer] as const]
  const placed = graph.stages.map(({ name, level }) => [name, level] as const)
  for (const [name, layer] of [...ends, ...placed]) slots.set(name, add(name, layer, name))
  const chains = graph.edges.flatMap(({ from, to }) => {
    const [first, last] = [slots.get(from), slots.get(to)]
    if (first === undefined || last === undefined) return []
    const chain = [first]
    for (let layer = first.layer + 1; layer < last.layer; layer++) {
      chain.push(add(`${from} ${to} ${layer}`, layer, undefined))
    }
    chain.push(last)
    chain.slice(1).forEach((slot, index) => {
      const before = chain[index] as Slot
      before.after.push(slot)
      slot.before.push(before)
    })
    return [{ from, to, slots: chain }]
  })
  return { layers, chains }
}

/** Each slot goes to the middle of those it hangs on, which keeps edges from crossing. */
function orderLayers(layers: readonly Slot[][], forward: boolean): void {
  for (const layer of layers) for (const [index, slot] of layer.entries()) slot.at = index
  for (const layer of forward ? layers : layers.toReversed()) {
    const wish = new Map(
      layer.map((slot) => {
        const others = forward ? slot.before : slot.after
        return [slot, others.length === 0 ? slot.at : meanOf(others.map(({ at }) => at))] as const
      }),
    )
    layer.sort((one, other) => (wish.get(one) ?? 0) - (wish.get(other) ?? 0))
    for (const [index, slot] of layer.entries()) slot.at = index - (layer.length - 1) / 2
  }
}

/** Slots of a layer beside each other, each layer in the middle. @returns how much they take. */
function placeAcross(layers: readonly Slot[][], direction: LayOutOptions['direction']): number {
  const gap = gaps[direction].beside
  const lengths = layers.map((layer) => {
    return (
      layer.reduce((sum, slot) => sum + sizeOf(slot, direction).across, 0) +
      gap * (layer.length - 1)
    )
  })
  const longest = Math.max(...lengths)
  layers.forEach((layer, index) => {
    let next = (longest - (lengths[index] ?? 0)) / 2
    for (const slot of layer) {
      const { across } = sizeOf(slot, direction)
      slot.at = next + across / 2
      next += across + gap
    }
  })
  return longest
}

function placeAlong(layers: readonly Slot[][], direction: LayOutOptions['direction']) {
  const sizes = layers.map((layer) =>
    Math.max(...layer.map((slot) => sizeOf(slot, direction).along)),
  )
  const starts: number[] = []
  let next = 0
  for (const size of sizes) {
    starts.push(next)
    next += size + gaps[direction].between
  }
  return { starts, sizes, length: next - gaps[direction].between }
}

function sizeOf({ name }: Slot, direction: LayOutOptions['direction']) {
  const isEnd = name === 'request' || name === 'result'
  const { width, height } = isEnd ? endSize : cardSize
  if (name === undefined) return { along: 0, across: passWidth }
  return direction === 'right' ? { along: width, across: height } : { along: height, across: width }
}

interface Box {
  readonly start: number
  readonly end: number
  readonly at: number
}

/** Curves from box to box, each leaving and arriving straight. The label sits before the last one. */
function pathOf(boxes: readonly Box[], direction: LayOutOptions['direction']) {
  const point = (along: number, at: number) => {
    const [x, y] = direction === 'right' ? [along, at] : [at, along]
    return `${round(x)} ${round(y)}`
  }
  const [first, last] = [boxes[0] as Box, boxes.at(-1) as Box]
  let path = `M${point(first.end, first.at)}`
  let from = first
  for (const to of boxes.slice(1)) {
    const middle = (from.end + to.start) / 2
    path += `C${point(middle, from.at)} ${point(middle, to.at)} ${point(to.start, to.at)}`
    if (to !== last) path += `L${point(to.end, to.at)}`
    from = to
  }
  const before = boxes.at(-2) ?? first
  const along = (before.end + last.start) / 2
  const at = (before.at + last.at) / 2
  const label = direction === 'right' ? { x: along, y: at } : { x: at, y: along }
  return { path, label }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
