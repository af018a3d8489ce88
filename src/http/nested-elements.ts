import { elementFormats, type Tensor } from '../pipeline/tensor.ts'

/** The sizes of lists in lists, along the first of each; what is known of them already is taken as it is. */
export function nestedShape(data: unknown, dims: readonly number[]): readonly number[] {
  let list: unknown = data
  return dims.map((known) => {
    const size = Array.isArray(list) ? list.length : 0
    list = Array.isArray(list) ? list[0] : undefined
    return known >= 0 ? known : size
  })
}

/** The elements of a tensor as lists in lists, each of what JSON can hold. */
export function nestedElements(tensor: Tensor): unknown {
  const elements = Array.from<unknown, unknown>(tensor.data as ArrayLike<unknown>, toJson(tensor))
  return nest(elements, tensor.dims)
}

function nest(elements: readonly unknown[], dims: readonly number[]): unknown {
  if (dims.length === 0) return elements[0]
  let lists = elements
  for (const size of dims.slice(1).reverse()) lists = chunks(lists, size)
  // With a size of 0 nothing is left to be cut; the rows are still as many.
  return lists.length === dims[0] ? lists : Array.from({ length: dims[0] ?? 0 }, () => [])
}

function chunks(elements: readonly unknown[], size: number): readonly unknown[] {
  const count = size === 0 ? 0 : elements.length / size
  return Array.from({ length: count }, (_, at) => elements.slice(at * size, (at + 1) * size))
}

function toJson({ type }: Tensor): (element: unknown) => unknown {
  const { kind } = elementFormats[type]
  if (kind === 'bool') return (element) => element !== 0
  if (kind === 'float') return (element) => (Number.isFinite(element) ? element : String(element))
  return (element) => (typeof element === 'bigint' ? wide(element) : element)
}

function wide(integer: bigint): number | string {
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer.toString()
}
