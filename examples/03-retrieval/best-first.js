// Stage `best`, on the event loop: the candidates of one question, in order.

/** @typedef {import('millrace').Tensor} Tensor */

/**
 * Beside the order of the reranker the one they were found in, to compare.
 *
 * @param {{ title: Tensor, score: Tensor }} inputs Of all candidates of one question, none if none was found.
 * @returns {Record<'ranked' | 'scores' | 'found', Tensor>}
 */
export function bestFirst({ title, score }) {
  const titles = /** @type {string[]} */ (title.data)
  const scores = /** @type {Float32Array} */ (score.data)
  const order = [...titles.keys()].sort((a, b) => Number(scores[b]) - Number(scores[a]))
  const ranked = order.map((index) => String(titles[index]))
  const descending = Float32Array.from(order, (index) => Number(scores[index]))
  const dims = [titles.length]
  return {
    ranked: { type: 'string', dims, data: ranked },
    scores: { type: 'float32', dims, data: descending },
    found: { type: 'string', dims, data: titles },
  }
}
