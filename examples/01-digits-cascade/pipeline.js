import { definePipeline, onnx } from 'millrace'
import { readDigits } from './digits.js'

const fastModel = new URL('models/digits-fast.onnx', import.meta.url)
const accurateModel = new URL('models/digits-accurate.onnx', import.meta.url)

/** The cheap model answers; only where it is unsure does the expensive one. */
export const cascade = definePipeline({
  name: 'digits',
  objective: { latencyMs: 20, percentile: 99 },
  stages: {
    fast: onnx(fastModel, { inputs: { image: 'request.image' } }),
    accurate: onnx(accurateModel, {
      inputs: { image: 'request.image' },
      when: { output: 'fast.confidence', below: 0.8 },
    }),
  },
  // Of several, the first that ran.
  outputs: {
    label: ['accurate.label', 'fast.label'],
    confidence: ['accurate.confidence', 'fast.confidence'],
  },
})

/** Each model alone, to compare with. */
export const fastAlone = definePipeline({
  name: 'fast-alone',
  stages: { fast: onnx(fastModel, { inputs: { image: 'request.image' } }) },
  outputs: { label: 'fast.label' },
})

export const accurateAlone = definePipeline({
  name: 'accurate-alone',
  stages: { accurate: onnx(accurateModel, { inputs: { image: 'request.image' } }) },
  outputs: { label: 'accurate.label' },
})

/** The pipeline of `millrace profile pipeline.js`; the others are `pipeline.js#fastAlone` and `pipeline.js#accurateAlone`. */
export default cascade

/** Requests as they come, for `millrace profile` and `millrace run`. */
export function samples() {
  return readDigits().map(({ image }) => ({ image }))
}
