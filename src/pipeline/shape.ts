// Shapes with open dimensions, written -1.

/** Whether some tensor could have both shapes: as many dimensions, none fixed to two sizes. */
export function agree(left: readonly number[], right: readonly number[]): boolean {
  if (left.length !== right.length) return false
  return left.every((dim, axis) => dim === -1 || right[axis] === -1 || dim === right[axis])
}

/** The shapes that both allow: fixed where either is. They must agree. */
export function narrow(left: readonly number[], right: readonly number[]): readonly number[] {
  return left.map((dim, axis) => (dim === -1 ? (right[axis] ?? -1) : dim))
}

/** The shapes that either allows: fixed where both are. They must agree. */
export function widen(left: readonly number[], right: readonly number[]): readonly number[] {
  return left.map((dim, axis) => (right[axis] === dim ? dim : -1))
}

/** How many elements, or undefined where a dimension is open. */
export function elementCount(dims: readonly number[]): number | undefined {
  return dims.includes(-1) ? undefined : dims.reduce((product, dim) => product * dim, 1)
}
