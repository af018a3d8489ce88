// Lines over the last minutes, drawn here: two of them need no library, and a page that loads nothing stays small.
import { drawing, setText } from './element.ts'
import { number } from './format.ts'

export interface ChartPoint {
  readonly atMs: number
  /** One for each line; undefined where nothing was measured. */
  readonly values: readonly (number | undefined)[]
}

export interface ChartLine {
  readonly name: string
  /** Class of its path. */
  readonly kind: string
}

/** A value that is compared with. */
export interface ChartMark {
  readonly name: string
  readonly value: number
  readonly kind: string
}

export interface ChartOptions {
  readonly label: string
  readonly lines: readonly ChartLine[]
  readonly unit: string
  readonly heightPx: number
}

export interface ChartData {
  readonly points: readonly ChartPoint[]
  readonly marks: readonly ChartMark[]
  /** The time at the right end, and how far back the left end is. */
  readonly untilMs: number
  readonly spanMs: number
}

/** Room for what is written at the axes, in pixels. */
const edges = { left: 46, right: 14, top: 10, bottom: 24 } as const
const minuteMs = 60_000
/** A gap in which nothing was drawn, in steps of its neighbours, is no line. */
const longestGapMs = 12_000

export class ChartDrawing {
  readonly element: SVGSVGElement
  readonly #options: ChartOptions
  #data: ChartData | undefined
  /** Where the pointer is, from 0 to 1. */
  #pointer: number | undefined
  readonly #readout: HTMLElement | undefined

  /** What is under the pointer is written into `readout`. */
  constructor(options: ChartOptions, readout?: HTMLElement) {
    this.#options = options
    this.#readout = readout
    this.element = drawing('svg', { class: 'chart', role: 'img', 'aria-label': options.label })
    this.element.addEventListener('pointermove', ({ offsetX }) => this.#point(offsetX))
    this.element.addEventListener('pointerleave', () => this.#point(undefined))
  }

  show(data: ChartData): void {
    this.#data = data
    this.#draw()
  }

  #point(offsetX: number | undefined): void {
    const width = this.element.clientWidth - edges.left - edges.right
    const share = offsetX === undefined ? undefined : (offsetX - edges.left) / width
    this.#pointer = share !== undefined && share >= 0 && share <= 1 ? share : undefined
    this.#draw()
  }

  #draw(): void {
    const data = this.#data
    const width = this.element.clientWidth
    if (data === undefined || width === 0) return
    const { heightPx, lines } = this.#options
    this.element.setAttribute('viewBox', `0 0 ${width} ${heightPx}`)
    this.element.setAttribute('height', String(heightPx))
    const scale = scaleFor(data, { width, height: heightPx })
    this.element.replaceChildren(
      ...grid(scale, data.spanMs),
      ...data.marks.map((mark) => markLine(mark, scale)),
      ...lines.map(({ kind }, index) => linePath(data.points, { index, kind, scale })),
      ...this.#crosshair(scale),
    )
  }

  #crosshair(scale: Scale): readonly SVGElement[] {
    const { points = [], untilMs = 0, spanMs = 0 } = this.#data ?? {}
    if (this.#pointer === undefined) return []
    const atMs = untilMs - spanMs * (1 - this.#pointer)
    const nearest = points.reduce<ChartPoint | undefined>((best, point) => {
      const isNearer = Math.abs(point.atMs - atMs) < Math.abs((best?.atMs ?? Infinity) - atMs)
      return isNearer ? point : best
    }, undefined)
    if (nearest === undefined) return []
    const { lines, unit } = this.#options
    const texts = lines.map(({ name }, index) => `${name} ${number(nearest.values[index])} ${unit}`)
    const time = new Date(nearest.atMs).toLocaleTimeString('en-GB')
    if (this.#readout !== undefined) setText(this.#readout, `${time}: ${texts.join(', ')}`)
    const x = scale.x(nearest.atMs)
    return [drawing('line', { x1: x, x2: x, y1: scale.top, y2: scale.bottom, class: 'crosshair' })]
  }
}

interface Scale {
  readonly x: (atMs: number) => number
  readonly y: (value: number) => number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly ticks: readonly number[]
  readonly untilMs: number
}

function scaleFor(
  data: ChartData,
  size: { readonly width: number; readonly height: number },
): Scale {
  const values = data.points.flatMap((point) => point.values).filter((value) => value !== undefined)
  const highest = Math.max(0, ...values, ...data.marks.map(({ value }) => value * 1.12))
  const ticks = ticksUpTo(highest)
  const most = ticks.at(-1) ?? 1
  const [left, right] = [edges.left, size.width - edges.right]
  const [top, bottom] = [edges.top, size.height - edges.bottom]
  return {
    x: (atMs) => right - ((data.untilMs - atMs) / data.spanMs) * (right - left),
    y: (value) => bottom - (value / most) * (bottom - top),
    ...{ left, right, top, bottom, ticks },
    untilMs: data.untilMs,
  }
}

/** 0 and a few round values, the last of which is above all else. */
function ticksUpTo(highest: number): readonly number[] {
  if (!(highest > 0)) return [0, 1]
  const rough = highest / 3.2
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const ticks = Array.from({ length: Math.ceil(highest / step - 1e-9) + 1 }, (_, at) => at * step)
  return ticks
}

function grid(scale: Scale, spanMs: number): readonly SVGElement[] {
  const { left, right, top, bottom, ticks } = scale
  const levels = ticks.flatMap((value) => {
    const y = scale.y(value)
    return [
      drawing('line', { x1: left, x2: right, y1: y, y2: y, class: 'grid' }),
      drawing('text', { x: left - 8, y: y + 4, class: 'tick end' }, shortNumber(value)),
    ]
  })
  const minutes = Array.from({ length: Math.floor(spanMs / minuteMs) + 1 }, (_, at) => at)
  // On a narrow page every other minute has a name.
  const every = (right - left) / minutes.length < 64 ? 2 : 1
  const times = minutes.flatMap((minute) => {
    const x = scale.x(scale.untilMs - minute * minuteMs)
    const line = drawing('line', { x1: x, x2: x, y1: top, y2: bottom, class: 'grid faint' })
    if (minute % every !== 0) return [line]
    const kind = minute === 0 ? 'tick end' : 'tick middle'
    return [
      line,
      drawing(
        'text',
        { x, y: bottom + 17, class: kind },
        minute === 0 ? 'now' : `${minute} min ago`,
      ),
    ]
  })
  return [...levels, ...times]
}

function markLine({ value, kind, name }: ChartMark, scale: Scale): SVGElement {
  const y = scale.y(value)
  return drawing(
    'g',
    { class: `mark ${kind}` },
    drawing('line', { x1: scale.left, x2: scale.right, y1: y, y2: y }),
    drawing('text', { x: scale.left + 6, y: y - 5, class: 'mark-label' }, name),
  )
}

function linePath(
  points: readonly ChartPoint[],
  { index, kind, scale }: { readonly index: number; readonly kind: string; readonly scale: Scale },
): SVGElement {
  let path = ''
  let lastMs = Number.NEGATIVE_INFINITY
  for (const { atMs, values } of points) {
    const value = values[index]
    const x = scale.x(atMs)
    if (value === undefined || x < scale.left) continue
    const move = atMs - lastMs > longestGapMs ? 'M' : 'L'
    path += `${move}${x.toFixed(1)} ${scale.y(value).toFixed(1)}`
    lastMs = atMs
  }
  return drawing('path', { d: path, class: `line ${kind}` })
}

function shortNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}
