import type { Tensor, TensorData } from '../../pipeline/tensor.ts'

/** All elements of a tensor as JSON writes them, with commas between them. */
export function elementText({ type, data }: Tensor): string {
  return textOf(type, data)
}

/** The same in parts of so many elements. */
export function* elementTexts({ type, data }: Tensor, most: number): Generator<string> {
  for (let from = 0; from < data.length; from += most) {
    const part = Array.isArray(data)
      ? data.slice(from, from + most)
      : (data as Exclude<TensorData, string[]>).subarray(from, from + most)
    yield from === 0 ? textOf(type, part) : `,${textOf(type, part)}`
  }
}

function textOf(type: Tensor['type'], data: TensorData): string {
  switch (type) {
    case 'string':
      return (data as readonly string[]).map((text) => JSON.stringify(text)).join(',')
    case 'bool':
      return Array.from(data as Uint8Array, (value) => (value === 0 ? 'false' : 'true')).join(',')
    case 'float32':
    case 'float64':
      return floatText(data as Float64Array)
    default:
      return data.join(',')
  }
}

/** JSON has no NaN and no infinities: they are strings, which Triton's clients turn into numbers again. */
function floatText(data: Float64Array): string {
  for (let at = 0; at < data.length; at++) {
    if (!Number.isFinite(data[at])) {
      return Array.from(data, (value) => (Number.isFinite(value) ? `${value}` : `"${value}"`)).join(
        ',',
      )
    }
  }
  return data.join(',')
}
