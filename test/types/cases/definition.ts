// References: what leads somewhere compiles, what does not is refused at the stage or the output
// that holds it.
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../../src/pipeline/onnx.ts'

const fast = onnx('fast.onnx', { inputs: { image: 'request.image' } })

definePipeline({
  name: 'digits',
  objective: { latencyMs: 20, percentile: 99.9 },
  stages: {
    fast,
    accurate: onnx(new URL('file:///accurate.onnx'), {
      inputs: { image: 'request.image', hint: ['fast.hint', 'request.hint'] },
      when: { output: 'fast.confidence', below: 0.8 },
      config: { 'session.set_denormal_as_zero': '1' },
    }),
    last: onnx(new Uint8Array(8), { inputs: { x: ['accurate.logits/0', 'fast.logits/0'] } }),
  },
  outputs: {
    label: ['accurate.label', 'fast.label'],
    only: 'last.y',
    filled: { from: 'accurate.label', default: -1 },
    several: { from: ['accurate.text', 'request.text'], default: '' },
  },
})

definePipeline({
  stages: {
    // @ts-expect-error: no stage `reqest`
    fast: onnx('fast.onnx', { inputs: { image: 'reqest.image' } }),
  },
  outputs: { label: 'fast.label' },
})

definePipeline({
  stages: {
    fast,
    // @ts-expect-error: no stage `fsat`, in a list
    slow: onnx('slow.onnx', { inputs: { image: ['request.image', 'fsat.image'] } }),
  },
  outputs: { label: 'slow.label' },
})

definePipeline({
  stages: {
    fast,
    // @ts-expect-error: no dot
    slow: onnx('slow.onnx', { inputs: { image: 'fast' } }),
  },
  outputs: { label: 'slow.label' },
})

definePipeline({
  stages: {
    // @ts-expect-error: feeds itself
    loop: onnx('loop.onnx', { inputs: { image: 'loop.image' } }),
  },
  outputs: { label: 'loop.label' },
})

definePipeline({
  stages: {
    fast,
    // @ts-expect-error: the condition is on no stage
    slow: onnx('s.onnx', { inputs: { x: 'request.x' }, when: { output: 'fsat.p', below: 1 } }),
  },
  outputs: { label: ['slow.label', 'fast.label'] },
})

definePipeline({
  stages: {
    fast,
    // @ts-expect-error: the condition is on its own stage
    slow: onnx('s.onnx', { inputs: { x: 'request.x' }, when: { output: 'slow.p', below: 1 } }),
  },
  outputs: { label: ['slow.label', 'fast.label'] },
})

definePipeline({
  stages: {
    fast,
    // @ts-expect-error: the condition is on the request
    slow: onnx('s.onnx', { inputs: { x: 'request.x' }, when: { output: 'request.p', below: 1 } }),
  },
  outputs: { label: ['slow.label', 'fast.label'] },
})

definePipeline({
  stages: { fast },
  outputs: {
    right: 'fast.label',
    // @ts-expect-error: no stage `fsat`
    alone: 'fsat.label',
    listed: [
      'fast.label',
      // @ts-expect-error: no stage `fsat`
      'fsat.label',
    ],
    // @ts-expect-error: no stage `fsat`
    from: { from: 'fsat.label', default: 0 },
    // @ts-expect-error: no stage `fsat`
    fromListed: { from: ['fast.label', 'fsat.label'], default: 0 },
    // @ts-expect-error: no default
    bare: { from: 'fast.label' },
    // @ts-expect-error: a default is one element
    many: { from: 'fast.label', default: [0] },
    // @ts-expect-error: not a reference
    number: 7,
  },
})

// @ts-expect-error: no outputs
definePipeline({ stages: { fast } })

definePipeline({
  // @ts-expect-error: misspelt key
  objectve: { latencyMs: 20 },
  stages: { fast },
  outputs: { label: 'fast.label' },
})

definePipeline({
  // @ts-expect-error: seconds are not milliseconds
  objective: { latencySeconds: 1 },
  stages: { fast },
  outputs: { label: 'fast.label' },
})

definePipeline({
  // @ts-expect-error: a stage is made by onnx()
  stages: { fast: 'fast.onnx' },
  outputs: { label: 'fast.label' },
})

// @ts-expect-error: inputs are required
onnx('fast.onnx', {})

// @ts-expect-error: an input is fed by references
onnx('fast.onnx', { inputs: { image: 7 } })

// @ts-expect-error: a condition names an output
onnx('fast.onnx', { inputs: { image: 'request.image' }, when: { below: 1 } })

// @ts-expect-error: below is a number
onnx('fast.onnx', { inputs: { image: 'request.image' }, when: { output: 'a.b', below: '1' } })

// @ts-expect-error: session entries are strings
onnx('fast.onnx', { inputs: { image: 'request.image' }, config: { 'session.x': 1 } })

// @ts-expect-error: no such source
onnx(7, { inputs: { image: 'request.image' } })

// Definitions put together when the program runs are not looked at here, but by definePipeline.
const texts: readonly string[] = ['request.a', 'request.b']
const generated = Object.fromEntries(
  texts.map((text, index) => [`s${index}`, onnx('m.onnx', { inputs: { x: text } })]),
)
const references: Record<string, string> = { y: 's0.y' }
definePipeline({ stages: generated, outputs: references })
