// Pipelines that fan out: every row n has n items (n * 100 + 0, 1, …), each is doubled, and those of a row are summed.
import { definePipeline, inline, js } from '../../src/index.ts'
import { double, doubleBatch, join, split, splitBatch } from './fixtures/items-worker.js'
import { numbers } from './functions.ts'

export const itemsModule = new URL('fixtures/items-worker.js', import.meta.url)

const scalar = { type: 'float32', dims: [] } as const
const items = { value: { type: 'float32', dims: [-1] } } as const
const n = { from: 'request.x', ...scalar } as const
export const splitting = { inputs: { n }, outputs: items, fanOut: true } as const
export const doubling = { inputs: { x: 'split.value' }, outputs: { y: scalar } } as const
export const joining = {
  inputs: { values: 'work.y' },
  outputs: { sum: scalar, count: scalar },
  gather: 'split',
  batched: false,
} as const

export const splits = {
  'js row': js(itemsModule, { ...splitting, export: 'split' }),
  'js batched': js(itemsModule, { ...splitting, export: 'splitBatch', batched: true }),
  'inline row': inline(split, { ...splitting, batched: false }),
  'inline batched': inline(splitBatch, splitting),
} as const

export const works = {
  'js row': js(itemsModule, { ...doubling, export: 'double' }),
  'js batched': js(itemsModule, { ...doubling, export: 'doubleBatch', batched: true }),
  'inline row': inline(double, { ...doubling, batched: false }),
  'inline batched': inline(doubleBatch, doubling),
  'inline cached': inline(doubleBatch, { ...doubling, cache: { maxBytes: 1 << 16 } }),
  'inline not isolated': inline(double, { ...doubling, batched: false, isolate: false }),
  'js that exits': js(itemsModule, { ...doubling, export: 'exitAt400' }),
  'js that is slow': js(itemsModule, { ...doubling, export: 'doubleLate' }),
} as const

export type SplitKind = keyof typeof splits
export type WorkKind = keyof typeof works

export function itemsPipeline(split: SplitKind, work: WorkKind) {
  return definePipeline({
    stages: { split: splits[split], work: works[work], join: inline(join, joining) },
    outputs: { sum: 'join.sum', count: 'join.count', items: 'work.y' },
  })
}

/** What a request for these rows results in. */
export function expectedOf(...rows: number[]) {
  const doubled = rows.map((row) => Array.from({ length: row }, (_, at) => 2 * (row * 100 + at)))
  return {
    sum: numbers(...doubled.map((values) => values.reduce((sum, value) => sum + value, 0))).x,
    count: numbers(...rows).x,
    items: numbers(...doubled.flat()).x,
  }
}
