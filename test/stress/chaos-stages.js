// What the worker threads of the chaos pipeline run, and how they are made to go wrong: by the first of
// the codes that they are given.

export const codes = { fail: -1, exit: -2, hang: -3, reject: -4, wrong: -5 }

/**
 * The images of digits, by index.
 *
 * @param {{ images: readonly Float32Array[] }} data
 */
export function setup({ images }) {
  return images
}

/**
 * Fan-out: the image of each digit named by the codes; as many items as codes.
 *
 * @param {{ indices: { data: Int32Array } }} inputs
 * @param {{ state: readonly Float32Array[] }} context
 */
export async function spread({ indices }, { state: images }) {
  const given = [...indices.data]
  if ((given[0] ?? 0) < 0) return goWrong(given[0] ?? 0)
  const data = new Float32Array(given.length * 64)
  for (const [item, index] of given.entries()) data.set(images[index] ?? [], item * 64)
  return { image: { type: 'float32', dims: [given.length, 1, 8, 8], data } }
}

/**
 * Fan-in: the labels of the items, as text.
 *
 * @param {{ labels: { data: BigInt64Array } }} inputs
 */
export function join({ labels }) {
  return { text: labels.data.join('') }
}

/** @param {number} code */
function goWrong(code) {
  switch (code) {
    case codes.fail:
      throw Object.assign(new TypeError('made to fail'), { code: 'E_CHAOS' })
    case codes.exit:
      return process.exit(3)
    case codes.hang:
      for (;;) Math.random()
    case codes.reject:
      return Promise.reject(new Error('made to reject'))
    default:
      return { image: 'no tensor' }
  }
}
