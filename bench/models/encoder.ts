/**
 * A transformer encoder of the size that embeds sentences (MiniLM, BERT small): tokens in, one vector
 * a sentence out. Both the batch and the length of a sentence are known only when it runs; padding is
 * excluded by the mask, so a padded sentence has the embedding it has alone.
 *
 * The vocabulary is small: looking a token up costs the same in a large one, and the file stays small.
 */
import { Graph } from './graph.ts'

export type EncoderOptions = {
  seed: number
  layers?: number
  /** Length of a token's vector; a multiple of `heads`. */
  hidden?: number
  heads?: number
  feedForward?: number
  vocabulary?: number
  /** The longest sentence that it takes. */
  positions?: number
}

type Sizes = Required<EncoderOptions>

const defaultSizes = {
  layers: 6,
  hidden: 384,
  heads: 12,
  feedForward: 1536,
  vocabulary: 1000,
  positions: 512,
}

export function encoderModel(options: EncoderOptions): Uint8Array {
  const sizes = { ...defaultSizes, ...options }
  const graph = new Graph({ name: 'encoder', seed: sizes.seed })
  const dims = ['batch', 'sequence']
  const ids = graph.input({ name: 'input_ids', type: 'int64', dims })
  const attentionMask = graph.input({ name: 'attention_mask', type: 'int64', dims })
  const mask = graph.node({ op: 'Cast', inputs: [attentionMask], attributes: { to: 1 } })
  const bias = attentionBias(graph, mask)
  let x = embed(graph, { ids, sizes })
  for (let layer = 0; layer < sizes.layers; layer++) {
    const attended = attention(graph, { x, bias, sizes })
    x = normalize(graph, { x: add(graph, x, attended), sizes })
    x = normalize(graph, { x: add(graph, x, feedForward(graph, { x, sizes })), sizes })
  }
  const from = meanOverSentence(graph, { x, mask })
  graph.output({ name: 'embedding', type: 'float32', dims: ['batch', sizes.hidden], from })
  return graph.encode()
}

/** Token plus position; positions are 0 to sequence - 1 whatever the mask says. */
function embed(graph: Graph, { ids, sizes }: { ids: string; sizes: Sizes }): string {
  const { hidden, vocabulary, positions } = sizes
  const tokenTable = graph.weights({ dims: [vocabulary, hidden], fanIn: 2 })
  const positionTable = graph.weights({ dims: [positions, hidden], fanIn: 2, gain: 0.5 })
  const tokens = graph.node({ op: 'Gather', inputs: [tokenTable, ids] })
  const shape = graph.node({ op: 'Shape', inputs: [ids] })
  const length = graph.node({ op: 'Gather', inputs: [shape, graph.integer(1)] })
  const range = graph.node({ op: 'Range', inputs: [graph.integer(0), length, graph.integer(1)] })
  const places = graph.node({ op: 'Gather', inputs: [positionTable, range] })
  return normalize(graph, { x: add(graph, tokens, places), sizes })
}

/** [batch, sequence] of 1 and 0 to [batch, 1, 1, sequence] of 0 and -10000, added before softmax. */
function attentionBias(graph: Graph, mask: string): string {
  const rows = graph.node({ op: 'Unsqueeze', inputs: [mask, graph.integers(1, 2)] })
  const one = graph.filled({ dims: [], value: 1 })
  const absent = graph.node({ op: 'Sub', inputs: [one, rows] })
  return graph.node({ op: 'Mul', inputs: [absent, graph.filled({ dims: [], value: -10_000 })] })
}

function attention(
  graph: Graph,
  { x, bias, sizes }: { x: string; bias: string; sizes: Sizes },
): string {
  const { hidden, heads } = sizes
  const linear = { from: hidden, to: hidden }
  const query = splitHeads(graph, { x: dense(graph, { x, ...linear }), sizes, perm: [0, 2, 1, 3] })
  const key = splitHeads(graph, { x: dense(graph, { x, ...linear }), sizes, perm: [0, 2, 3, 1] })
  const value = splitHeads(graph, { x: dense(graph, { x, ...linear }), sizes, perm: [0, 2, 1, 3] })
  const products = graph.node({ op: 'MatMul', inputs: [query, key] })
  const root = graph.filled({ dims: [], value: Math.sqrt(hidden / heads) })
  const scores = add(graph, graph.node({ op: 'Div', inputs: [products, root] }), bias)
  const shares = graph.node({ op: 'Softmax', inputs: [scores], attributes: { axis: -1 } })
  const mixed = graph.node({ op: 'MatMul', inputs: [shares, value] })
  const perm = [0, 2, 1, 3]
  const rows = graph.node({ op: 'Transpose', inputs: [mixed], attributes: { perm } })
  const flat = graph.node({ op: 'Reshape', inputs: [rows, graph.integers(0, 0, hidden)] })
  return dense(graph, { x: flat, ...linear })
}

function splitHeads(
  graph: Graph,
  { x, sizes, perm }: { x: string; sizes: Sizes; perm: number[] },
): string {
  const shape = graph.integers(0, 0, sizes.heads, sizes.hidden / sizes.heads)
  const split = graph.node({ op: 'Reshape', inputs: [x, shape] })
  return graph.node({ op: 'Transpose', inputs: [split], attributes: { perm } })
}

function feedForward(graph: Graph, { x, sizes }: { x: string; sizes: Sizes }): string {
  const wide = dense(graph, { x, from: sizes.hidden, to: sizes.feedForward })
  return dense(graph, { x: gelu(graph, wide), from: sizes.feedForward, to: sizes.hidden })
}

/** x * (1 + erf(x / sqrt(2))) / 2, in the order of operators that runtimes know to fuse. */
function gelu(graph: Graph, x: string): string {
  const scaled = graph.node({
    op: 'Div',
    inputs: [x, graph.filled({ dims: [], value: Math.SQRT2 })],
  })
  const erf = graph.node({ op: 'Erf', inputs: [scaled] })
  const shifted = add(graph, erf, graph.filled({ dims: [], value: 1 }))
  const product = graph.node({ op: 'Mul', inputs: [x, shifted] })
  return graph.node({ op: 'Mul', inputs: [product, graph.filled({ dims: [], value: 0.5 })] })
}

function dense(graph: Graph, options: { x: string; from: number; to: number }): string {
  const { x, from, to } = options
  const weights = graph.weights({ dims: [from, to], fanIn: from, gain: Math.SQRT1_2 })
  const product = graph.node({ op: 'MatMul', inputs: [x, weights] })
  return add(graph, product, graph.weights({ dims: [to], fanIn: from }))
}

function normalize(graph: Graph, { x, sizes }: { x: string; sizes: Sizes }): string {
  const scale = graph.filled({ dims: [sizes.hidden], value: 1 })
  const offset = graph.filled({ dims: [sizes.hidden], value: 0 })
  const attributes = { axis: -1, epsilon: { float: 1e-5 } }
  return graph.node({ op: 'LayerNormalization', inputs: [x, scale, offset], attributes })
}

function add(graph: Graph, left: string, right: string): string {
  return graph.node({ op: 'Add', inputs: [left, right] })
}

/** The mean over the tokens that the mask keeps; a sentence of padding only gives zeros. */
function meanOverSentence(graph: Graph, { x, mask }: { x: string; mask: string }): string {
  const column = graph.node({ op: 'Unsqueeze', inputs: [mask, graph.integers(2)] })
  const kept = graph.node({ op: 'Mul', inputs: [x, column] })
  const attributes = { keepdims: 0 }
  const axis = graph.integers(1)
  const sum = graph.node({ op: 'ReduceSum', inputs: [kept, axis], attributes })
  const tokens = graph.node({ op: 'ReduceSum', inputs: [column, axis], attributes })
  const one = graph.filled({ dims: [], value: 1 })
  const count = graph.node({ op: 'Max', inputs: [tokens, one] })
  return graph.node({ op: 'Div', inputs: [sum, count] })
}
