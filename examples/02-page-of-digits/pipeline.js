import { definePipeline, js, onnx } from 'millrace'

/** @param {string} path */
const here = (path) => new URL(path, import.meta.url)

/** A page in, its text out. Between `segment` and `transcribe` everything runs digit by digit. */
export const pageReader = definePipeline({
  name: 'page-of-digits',
  objective: { latencyMs: 100, percentile: 99 },
  stages: {
    segment: js(here('segment.js'), {
      inputs: { page: { from: 'request.page', type: 'uint8', dims: [-1] } },
      outputs: {
        crops: { type: 'float32', dims: [-1, 1, 8, 8] },
        lines: { type: 'int32', dims: [-1] },
      },
      fanOut: true, // one page becomes as many rows as it has digits
    }),
    fast: onnx(here('../01-digits-cascade/models/digits-fast.onnx'), {
      inputs: { image: 'segment.crops' },
    }),
    accurate: onnx(here('../01-digits-cascade/models/digits-accurate.onnx'), {
      inputs: { image: 'segment.crops' },
      when: { output: 'fast.confidence', below: 0.8 },
    }),
    transcribe: js(here('transcribe.js'), {
      inputs: { labels: ['accurate.label', 'fast.label'], lines: 'segment.lines' },
      outputs: { text: { type: 'string', dims: [] } },
      gather: 'segment', // and one row again
    }),
  },
  outputs: { text: 'transcribe.text' },
})

/** Requests as they come, for `millrace profile` and `millrace run`: pages, of which one is blank. */
export async function samples() {
  // Only here: pages are drawn with sharp, which serving them does not need in this thread.
  const [{ blankPage, writePages }, { readDigits }] = await Promise.all([
    import('./page.js'),
    import('../01-digits-cascade/digits.js'),
  ])
  const pages = await writePages({ digits: readDigits(), repeats: 5, seed: 1 })
  return [...pages, await blankPage(1)].map(({ png }) => ({
    page: { type: /** @type {const} */ ('uint8'), dims: [1, png.length], data: png },
  }))
}
