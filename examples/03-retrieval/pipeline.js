import { definePipeline, inline, js, onnx } from 'millrace'
import { bestFirst } from './best-first.js'
import { searchIn } from './search.js'
import tokenizeHere from './tokenize.js'
import { paddingId } from './tokens.js'

/** @param {string} path */
const here = (path) => new URL(path, import.meta.url)

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
