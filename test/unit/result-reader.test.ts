// What the core writes of a settled request becomes its result: see native/addon/result_writer.h.
import { describe, expect, it } from 'vitest'
import { PendingRequests } from '../../src/engine/pending-requests.ts'
import { ResultReader } from '../../src/engine/result-reader.ts'
import { outcomes } from '../../src/native/addon.ts'
import type { BoundOutput, BoundPipeline } from '../../src/pipeline/bound-pipeline.ts'
import type { Tensor } from '../../src/pipeline/tensor.ts'

const source = { kind: 'request', input: 0 } as const

function output(given: Partial<BoundOutput> = {}): BoundOutput {
  const plain = { name: 'y', type: 'float32', dims: [-1, 2], fill: undefined } as const
  return { ...plain, sources: [source], perItem: false, ...given }
}

/** Holds the one answer itself: no promise pends, and nobody looks round the event loop for it. */
class Answer extends PendingRequests {
  result: Readonly<Record<string, Tensor>> = {}
  error: unknown

  override resolve(_index: number, result: Readonly<Record<string, Tensor>>): void {
    this.result = result
  }

  override reject(_index: number, error: unknown): void {
    this.error = error
  }
}

/** One completed request of some rows, with these numbers in the payload and these extras. */
function read(
  outputs: readonly BoundOutput[],
  written: { rows?: number; payload?: readonly number[]; extras?: readonly unknown[] },
): Answer {
  const bound: BoundPipeline = { inputs: [], stages: [], outputs, batched: true }
  const answer = new Answer()
  const reader = new ResultReader(bound, answer)
  new Int32Array(reader.heads).set([0, outcomes.completed, written.rows ?? 1, 0])
  new Float32Array(reader.payload).set(written.payload ?? [])
  reader.read(1, written.extras)
  return answer
}

const floats = (...values: number[]) => new Float32Array(values).buffer

describe('an output of rows', () => {
  it('comes through the shared payload', () => {
    const { result } = read([output()], { rows: 2, payload: [1, 2, 3, 4] })
    expect(result['y']).toEqual({
      type: 'float32',
      dims: [2, 2],
      data: new Float32Array([1, 2, 3, 4]),
    })
  })

  it('says that rows of different shapes are no tensor', () => {
    const open = output({ dims: [-1, -1] })
    const { error } = read([open], { rows: 2, extras: [undefined, undefined] })
    expect(String(error)).toContain('rows of output "y" have different shapes')
  })
})

describe('an output of items', () => {
  const items = output({ perItem: true })

  it('has as many as there are, however many rows the request has', () => {
    const { result } = read([items], { extras: [floats(1, 2, 3, 4, 5, 6), [3, 2]] })
    expect(result['y']).toEqual({
      type: 'float32',
      dims: [3, 2],
      data: new Float32Array([1, 2, 3, 4, 5, 6]),
    })
  })

  it('may have none', () => {
    const { result } = read([items], { rows: 4, extras: [floats(), [0, 2]] })
    expect(result['y']).toEqual({ type: 'float32', dims: [0, 2], data: new Float32Array() })
  })

  it('may be of strings, or of one element an item', () => {
    const words = output({ name: 'words', type: 'string', dims: [-1], perItem: true })
    const { result } = read([words], { extras: [['a', 'b'], [2]] })
    expect(result['words']).toEqual({ type: 'string', dims: [2], data: ['a', 'b'] })
  })

  it('leaves the payload to the outputs of rows beside it', () => {
    const { result } = read([items, output({ name: 'z' })], {
      payload: [7, 8],
      extras: [floats(1, 2), [1, 2]],
    })
    expect(result['z']?.data).toEqual(new Float32Array([7, 8]))
    expect(result['y']?.dims).toEqual([1, 2])
  })

  it('says that items of different shapes are no tensor', () => {
    const { error } = read([items], { extras: [undefined, undefined] })
    expect(String(error)).toContain('items of output "y" have different shapes')
  })
})
