import type { BoundValue } from '../pipeline/bound-pipeline.ts'
import { elementFormats, type TypedArrayConstructor } from '../pipeline/tensor.ts'

/** One input of the pipeline and how to read it. */
export class InputPort {
  readonly name: string
  readonly value: BoundValue
  /** Undefined for strings. */
  readonly array: TypedArrayConstructor | undefined
  readonly batched: boolean
  /** Elements of a row; -1 where a dimension of the row is open. */
  readonly rowElements: number
  /** Whether the core must be told the dims of each request. */
  readonly open: boolean

  constructor(value: BoundValue, batched: boolean) {
    const rowDims = batched ? value.dims.slice(1) : value.dims
    const isOpen = rowDims.includes(-1)
    this.name = value.name
    this.value = value
    this.array = elementFormats[value.type].array
    this.batched = batched
    this.rowElements = isOpen ? -1 : rowDims.reduce((product, dim) => product * dim, 1)
    this.open = isOpen || value.type === 'string'
  }
}
