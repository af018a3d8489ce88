/** Does nothing to `x`: what is left of a run's cost is the cost of calling the runtime. */
import { Graph } from './graph.ts'

export function identityModel(options: { seed: number }): Uint8Array {
  const graph = new Graph({ name: 'identity', seed: options.seed })
  const x = graph.input({ name: 'x', type: 'float32', dims: ['batch', 32] })
  graph.output({ name: 'y', type: 'float32', dims: ['batch', 32], from: x })
  return graph.encode()
}
