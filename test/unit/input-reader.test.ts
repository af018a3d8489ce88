import { describe, expect, it } from 'vitest'
import { InputReader } from '../../src/engine/input-reader.ts'
import type { BoundPipeline, BoundValue } from '../../src/pipeline/bound-pipeline.ts'
import { errorOf } from './thrown.ts'

const pair: BoundValue = { name: 'pair', type: 'float32', dims: [-1, 2] }
const open: BoundValue = { name: 'open', type: 'int8', dims: [-1, -1, 3] }
const words: BoundValue = { name: 'words', type: 'string', dims: [-1, 2] }

function readerOf(inputs: readonly BoundValue[], batched = true): InputReader {
  return new InputReader({ inputs, stages: [], outputs: [], batched } satisfies BoundPipeline)
}

describe('an input reader', () => {
  it('counts rows by the dims, or by the elements where there are none', () => {
    const reader = readerOf([pair])
    const data = new Float32Array(6)
    for (const given of [data, { type: 'float32', dims: [3, 2], data }]) {
      reader.read({ pair: given })
      expect(reader.rows).toBe(3)
      expect(reader.data[0]).toBe(data)
    }
  })

  it('hands over the data itself, and a copy only of shared memory and of strings', () => {
    const reader = readerOf([pair, words])
    const shared = new Float32Array(new SharedArrayBuffer(8)).fill(7)
    const given = ['a', 'b']
    reader.read({ pair: shared, words: given })
    expect(reader.data).toEqual([Float32Array.of(7, 7), ['a', 'b']])
    expect((reader.data[0] as Float32Array).buffer).not.toBe(shared.buffer)
    expect(reader.data[1]).not.toBe(given)
  })

  it('writes the dims of open rows and of strings for the core, in order', () => {
    const reader = readerOf([open, pair, words])
    reader.read({
      open: { type: 'int8', dims: [2, 5, 3], data: new Int8Array(30) },
      pair: new Float32Array(4),
      words: ['a', 'b', 'c', 'd'],
    })
    expect([...reader.openDims.subarray(0, 3)]).toEqual([5, 3, 2])
  })

  it('takes a whole tensor for one row where the pipeline has no batch', () => {
    const reader = readerOf([{ name: 'x', type: 'float32', dims: [2, 2] }], false)
    reader.read({ x: new Float32Array(4) })
    expect(reader.rows).toBe(1)
    expect(errorOf(() => reader.read({ x: new Float32Array(8) })).message).toContain('(4 a row)')
  })

  it('starts afresh after a request that was refused', () => {
    const reader = readerOf([pair, open])
    const whole = { type: 'int8', dims: [1, 1, 3], data: new Int8Array(3) }
    errorOf(() => reader.read({ pair: new Float32Array(8), open: whole }))
    reader.read({ pair: new Float32Array(2), open: whole })
    expect(reader.rows).toBe(1)
    expect([...reader.openDims.subarray(0, 2)]).toEqual([1, 3])
  })

  it('refuses with the code of inputs', () => {
    const reader = readerOf([pair])
    for (const inputs of [undefined, null, 1, {}, { pair: 1 }, { pair: new Float32Array() }]) {
      expect(errorOf(() => reader.read(inputs)).code).toBe('MILLRACE_INVALID_INPUT')
    }
  })
})
