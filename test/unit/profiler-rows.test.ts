import { describe, expect, it } from 'vitest'
import { bytesOf, haveOneShape, RecordedRows, stackRows } from '../../src/profile/recorded-rows.ts'

function floats(dims: readonly number[], ...data: number[]) {
  return { type: 'float32', dims, data: Float32Array.from(data) } as const
}

function recorded(seed: number, rows: number) {
  const all = new RecordedRows(seed)
  for (let row = 0; row < rows; row++) all.add({ x: floats([1], row) }, 1)
  return all.rows.map(({ x }) => x?.data[0] as number)
}

describe('recorded rows', () => {
  it('are taken apart, with memory of their own, and put together again', () => {
    const all = new RecordedRows(1)
    const x = floats([2, 2], 1, 2, 3, 4)
    all.add({ x, text: { type: 'string', dims: [2], data: ['a', 'bcd'] } }, 2)
    x.data.fill(0)
    expect(all.rows[1]).toEqual({
      x: floats([2], 3, 4),
      text: { type: 'string', dims: [], data: ['bcd'] },
    })
    expect(bytesOf(all.rows[1] ?? {})).toBe(8 + 3)
    expect(stackRows(all.rows)).toEqual({
      x: floats([2, 2], 1, 2, 3, 4),
      text: { type: 'string', dims: [2], data: ['a', 'bcd'] },
    })
  })

  it('may have no elements', () => {
    const all = new RecordedRows(1)
    all.add({ x: floats([1, 0]) }, 1)
    expect(all.rows).toEqual([{ x: floats([0]) }])
    expect(stackRows([...all.rows, ...all.rows])).toEqual({ x: floats([2, 0]) })
  })

  it('are all kept up to 256, and then a sample that the seed decides', () => {
    expect(recorded(1, 256)).toEqual(Array.from({ length: 256 }, (_, row) => row))
    const many = recorded(1, 5000)
    expect(many).toHaveLength(256)
    expect(new Set(many).size).toBe(256)
    expect(many.filter((row) => row >= 2500).length).toBeGreaterThan(64)
    expect(recorded(1, 5000)).toEqual(many)
    expect(recorded(2, 5000)).not.toEqual(many)
  })

  it('are fewer where they are large', () => {
    const all = new RecordedRows(1)
    const large = { type: 'uint8', dims: [1, 1 << 25], data: new Uint8Array(1 << 25) } as const
    for (let row = 0; row < 3; row++) all.add({ large }, 1)
    expect(all.rows).toHaveLength(2)
  })

  it('have one shape, or not', () => {
    expect(haveOneShape([{ x: floats([2], 1, 2) }, { x: floats([2], 3, 4) }])).toBe(true)
    expect(haveOneShape([{ x: floats([2], 1, 2) }, { x: floats([1], 3) }])).toBe(false)
  })
})
