/**
 * Makes models/encoder.onnx and models/reranker.onnx: npx tsx examples/03-retrieval/make-models.ts
 *
 * Nobody trained them, and yet their answers mean something. Every token has a vector of its own, as good as random and so
 * almost at right angles to every other's, and a weight that says how rare it is in the passages. Attention adds to each
 * vector something of its neighbours' (the nearer, the more: ALiBi), so that words that stand together match better than the
 * same words apart. The encoder's embedding is the weighted mean of the vectors: texts are near that share rare words. The
 * reranker looks for each token of the query where in the passage it matches best (late interaction, as ColBERT does).
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Graph } from '../../bench/models/graph.ts'
import { SeededRandom } from '../../bench/models/seeded-random.ts'
import { readPassages, searchedText } from './passages.js'
import { embeddingSize, tokenIds, vocabularySize } from './tokens.js'

const rerankerSize = 256
/** How much of its neighbours' a vector gets, and how fast that falls with the distance. */
const attention = { share: 0.5, slope: 1 }

type Encoded = {
  /** [batch, tokens, 1]: 0 for padding. */
  mask: string
  /** [batch, tokens, 1]: how rare each token is, 0 for padding. */
  rarity: string
  /** [batch, tokens, size], each of length 1. */
  vectors: string
}

type Tables = { rarity: string; frequencies: string; phases: string }

export function encoderModel(): Uint8Array {
  const graph = new Graph({ name: 'encoder', seed: 1 })
  const ids = graph.input({ name: 'ids', type: 'int64', dims: ['batch', 'tokens'] })
  const encoded = encode(graph, { ids, tables: tablesOf(graph, embeddingSize) })
  const weighted = node(graph, 'Mul', encoded.vectors, encoded.rarity)
  const from = normalize(graph, sum(graph, { of: weighted, axis: 1 }))
  graph.output({ name: 'embedding', type: 'float32', dims: ['batch', embeddingSize], from })
  return graph.encode()
}

export function rerankerModel(): Uint8Array {
  const graph = new Graph({ name: 'reranker', seed: 2 })
  const query = graph.input({ name: 'query', type: 'int64', dims: ['batch', 'query_tokens'] })
  const passage = graph.input({ name: 'passage', type: 'int64', dims: ['batch', 'passage_tokens'] })
  const tables = tablesOf(graph, rerankerSize)
  const asked = encode(graph, { ids: query, tables })
  const told = encode(graph, { ids: passage, tables })
  const alike = node(graph, 'MatMul', asked.vectors, turned(graph, told.vectors))
  const present = node(graph, 'Mul', alike, turned(graph, told.mask))
  const attributes = { axes: [2], keepdims: 1 }
  const best = graph.node({ op: 'ReduceMax', inputs: [present], attributes })
  const gained = sum(graph, { of: node(graph, 'Mul', best, asked.rarity), axis: 1, also: 2 })
  const possible = sum(graph, { of: asked.rarity, axis: 1, also: 2 })
  const from = node(graph, 'Div', gained, possible)
  graph.output({ name: 'score', type: 'float32', dims: ['batch'], from })
  return graph.encode()
}

/**
 * A table of vectors would be large; these are computed: number i of token t is cos(t * frequency[i] + phase[i]). Frequencies are
 * drawn from whole turns, so that one token says nothing of the next.
 */
function tablesOf(graph: Graph, size: number): Tables {
  const random = new SeededRandom(size)
  const turns = () => Float32Array.from({ length: size }, () => 2 * Math.PI * random.uniform())
  return {
    rarity: graph.floats({ dims: [vocabularySize, 1], values: rarities() }),
    frequencies: graph.floats({ dims: [size], values: turns() }),
    phases: graph.floats({ dims: [size], values: turns() }),
  }
}

/** By token: log(passages / passages that have it) ** 1.5; 0 for padding. */
export function rarities(): Float32Array {
  const passages = readPassages().map((passage) => new Set(tokenIds(searchedText(passage))))
  const having = new Float32Array(vocabularySize)
  for (const id of passages.flatMap((ids) => [...ids])) having[Number(id)]! += 1
  const values = having.map((count) => Math.log((passages.length + 1) / (count + 0.5)) ** 1.5)
  values[0] = 0
  return values
}

function encode(graph: Graph, { ids, tables }: { ids: string; tables: Tables }): Encoded {
  const real = node(graph, 'Greater', ids, graph.integer(0))
  const flat = graph.node({ op: 'Cast', inputs: [real], attributes: { to: 1 } })
  const number = graph.node({ op: 'Cast', inputs: [ids], attributes: { to: 1 } })
  const mask = node(graph, 'Unsqueeze', flat, graph.integers(2))
  const column = node(graph, 'Unsqueeze', number, graph.integers(2))
  const angles = node(graph, 'Add', node(graph, 'Mul', column, tables.frequencies), tables.phases)
  const own = normalize(graph, node(graph, 'Cos', angles))
  const rarity = node(graph, 'Gather', tables.rarity, ids)
  const around = attend(graph, { vectors: own, mask, ids })
  const shared = node(graph, 'Mul', around, graph.filled({ dims: [], value: attention.share }))
  return { mask, rarity, vectors: normalize(graph, node(graph, 'Add', own, shared)) }
}

/** One head of attention, from each token to all: the more, the more alike and the nearer they are. */
function attend(
  graph: Graph,
  { vectors, mask, ids }: { vectors: string; mask: string; ids: string },
): string {
  const alike = node(graph, 'MatMul', vectors, turned(graph, vectors))
  const distant = node(graph, 'Sub', alike, distances(graph, ids))
  const absent = node(graph, 'Sub', graph.filled({ dims: [], value: 1 }), turned(graph, mask))
  const never = node(graph, 'Mul', absent, graph.filled({ dims: [], value: 10_000 }))
  const scores = node(graph, 'Sub', distant, never)
  const shares = graph.node({ op: 'Softmax', inputs: [scores], attributes: { axis: -1 } })
  return node(graph, 'MatMul', shares, vectors)
}

/** [tokens, tokens]: how far apart, times the slope. */
function distances(graph: Graph, ids: string): string {
  const shape = graph.node({ op: 'Shape', inputs: [ids] })
  const length = node(graph, 'Gather', shape, graph.integer(1))
  const range = node(graph, 'Range', graph.integer(0), length, graph.integer(1))
  const places = graph.node({ op: 'Cast', inputs: [range], attributes: { to: 1 } })
  const down = node(graph, 'Unsqueeze', places, graph.integers(1))
  const apart = graph.node({ op: 'Abs', inputs: [node(graph, 'Sub', down, places)] })
  return node(graph, 'Mul', apart, graph.filled({ dims: [], value: attention.slope }))
}

/** The last two dimensions of three, the other way round. */
function turned(graph: Graph, value: string): string {
  return graph.node({ op: 'Transpose', inputs: [value], attributes: { perm: [0, 2, 1] } })
}

function normalize(graph: Graph, value: string): string {
  return graph.node({ op: 'LpNormalization', inputs: [value], attributes: { axis: -1, p: 2 } })
}

function sum(graph: Graph, options: { of: string; axis: number; also?: number }): string {
  const { of, axis, also } = options
  const axes = also === undefined ? graph.integers(axis) : graph.integers(axis, also)
  return graph.node({ op: 'ReduceSum', inputs: [of, axes], attributes: { keepdims: 0 } })
}

function node(graph: Graph, op: string, ...inputs: string[]): string {
  return graph.node({ op, inputs })
}

const isProgram =
  process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href
if (isProgram) {
  const folder = new URL('models/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('encoder.onnx', folder), encoderModel())
  writeFileSync(new URL('reranker.onnx', folder), rerankerModel())
}
