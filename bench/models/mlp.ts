/** A perceptron 32-64-10: so small that batching is worth more than arithmetic. */
import { Graph } from './graph.ts'

export function mlpModel(options: { seed: number }): Uint8Array {
  const graph = new Graph({ name: 'mlp', seed: options.seed })
  const x = graph.input({ name: 'x', type: 'float32', dims: ['batch', 32] })
  const hidden = graph.node({ op: 'Relu', inputs: [dense(graph, { x, from: 32, to: 64 })] })
  const logits = dense(graph, { x: hidden, from: 64, to: 10 })
  graph.output({ name: 'y', type: 'float32', dims: ['batch', 10], from: logits })
  return graph.encode()
}

function dense(graph: Graph, options: { x: string; from: number; to: number }): string {
  const { x, from, to } = options
  const weights = graph.weights({ dims: [from, to], fanIn: from })
  const bias = graph.weights({ dims: [to], fanIn: from })
  return graph.node({ op: 'Gemm', inputs: [x, weights, bias] })
}
