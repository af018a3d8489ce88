import { definePipeline, inline, js, onnx } from 'millrace'
import { searchedText } from './passages.js'
import tokenizeHere from './tokenize.js'
import { paddingId } from './tokens.js'

/** @param {string} path */
const here = (path) => new URL(path, import.meta.url)

const mostCandidates = 20
/** With less left than this, fewer candidates: a worse answer in time is better than a good one too late. */
const hurryMs = 25
const fewCandidates = 5

/** Texts in, embeddings out; texts of any length share a batch. */
export const embedder = definePipeline({
  name: 'embedder',
  stages: {
    embed: onnx(here('models/encoder.onnx'), {
      inputs: { ids: 'request.ids' },
      pad: { ids: paddingId },
    }),
  },
  outputs: { embedding: 'embed.embedding' },
})

/**
 * A question in, the titles of the passages that answer it best out.
 *
 * @param {import('./store.js').Store} store
 */
export function retriever(store) {
  return definePipeline({
    name: 'retrieval',
    objective: { latencyMs: 100, percentile: 99 },
    stages: {
      question: inline(tokenizeHere, {
        inputs: { text: { from: 'request.question', type: 'string', dims: [] } },
        outputs: { ids: { type: 'int64', dims: [-1] } },
        batched: false,
      }),
      embed: onnx(here('models/encoder.onnx'), {
        inputs: { ids: 'question.ids' },
        pad: { ids: paddingId },
      }),
      search: inline(searchIn(store), {
        inputs: { embedding: 'embed.embedding' },
        outputs: { title: { type: 'string', dims: [-1] }, text: { type: 'string', dims: [-1] } },
        batched: false,
        fanOut: true, // the stages that read them run once for each candidate
      }),
      tokenize: js(here('tokenize.js'), {
        inputs: { text: 'search.text' },
        outputs: { ids: { type: 'int64', dims: [-1] } },
      }),
      rerank: onnx(here('models/reranker.onnx'), {
        inputs: { query: 'question.ids', passage: 'tokenize.ids' },
        pad: { query: paddingId, passage: paddingId },
      }),
      best: inline(bestFirst, {
        inputs: { title: 'search.title', score: 'rerank.score' },
        outputs: {
          ranked: { type: 'string', dims: [-1] },
          scores: { type: 'float32', dims: [-1] },
          found: { type: 'string', dims: [-1] },
        },
        batched: false,
        gather: 'search',
      }),
    },
    outputs: { ranked: 'best.ranked', scores: 'best.scores', found: 'best.found' },
  })
}

/** @param {import('./store.js').Store} store */
function searchIn(store) {
  /**
   * @param {{ embedding: import('millrace').Tensor }} inputs One embedding.
   * @param {import('millrace').FunctionContext} context
   */
  return async ({ embedding }, { deadlineMs, signal }) => {
    const near = /** @type {Float32Array} */ (embedding.data)
    const count = deadlineMs < hurryMs ? fewCandidates : mostCandidates
    // The signal aborts when nobody waits for the answer any more: then the database stops, too.
    const found = await store.search({ near, count, signal })
    return {
      title: { type: 'string', dims: [found.length], data: found.map(({ title }) => title) },
      text: {
        type: 'string',
        dims: [found.length],
        data: found.map((passage) => searchedText(passage)),
      },
    }
  }
}

/**
 * Beside the order of the reranker the one they were found in, to compare.
 *
 * @param {{ title: import('millrace').Tensor, score: import('millrace').Tensor }} inputs Of all candidates of one question.
 */
function bestFirst({ title, score }) {
  const titles = /** @type {string[]} */ (title.data)
  const scores = /** @type {Float32Array} */ (score.data)
  const order = [...titles.keys()].sort((a, b) => Number(scores[b]) - Number(scores[a]))
  const dims = [titles.length]
  return {
    ranked: { type: 'string', dims, data: order.map((index) => String(titles[index])) },
    scores: {
      type: 'float32',
      dims,
      data: Float32Array.from(order, (index) => Number(scores[index])),
    },
    found: { type: 'string', dims, data: titles },
  }
}
