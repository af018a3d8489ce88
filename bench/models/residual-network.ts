/**
 * Residual networks (He et al. 2015) over 3 x 224 x 224 images and 1000 classes, as they are deployed:
 * batch normalisation is folded into the bias of each convolution.
 */
import { Graph } from './graph.ts'

export type ResidualNetworkOptions = {
  name: string
  seed: number
  /** Two 3 x 3 convolutions a block, or a 1 x 1, 3 x 3, 1 x 1 bottleneck that widens four times. */
  block: 'basic' | 'bottleneck'
  /** Blocks in each of the four groups; every group after the first halves the image. */
  blocks: [number, number, number, number]
}

type Feature = { value: string; channels: number }
type BlockOptions = { width: number; stride: number }

const classes = 1000
const stemChannels = 64
/** Centred weights see only the variance of what a ReLU leaves, which is 0.68 of its mean square. */
const centredGain = 1.2
/** Keeps the sum of a block's two paths, and so the activations of deep networks, near their size. */
const lastGain = 0.6 * centredGain
const shortcutGain = 0.8 * centredGain

export function residualNetwork(options: ResidualNetworkOptions): Uint8Array {
  const graph = new Graph(options)
  const image = graph.input({ name: 'image', type: 'float32', dims: ['batch', 3, 224, 224] })
  const addBlock = options.block === 'basic' ? basicBlock : bottleneckBlock
  let feature = stem(graph, { value: image, channels: 3 })
  for (const [group, count] of options.blocks.entries()) {
    const width = stemChannels * 2 ** group
    for (let index = 0; index < count; index++) {
      const stride = index === 0 && group > 0 ? 2 : 1
      feature = addBlock(graph, feature, { width, stride })
    }
  }
  const logits = classifier(graph, feature)
  graph.output({ name: 'logits', type: 'float32', dims: ['batch', classes], from: logits })
  return graph.encode()
}

function stem(graph: Graph, image: Feature): Feature {
  const first = relu(graph, convolution(graph, image, { to: stemChannels, kernel: 7, stride: 2 }))
  const attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }
  const value = graph.node({ op: 'MaxPool', inputs: [first.value], attributes })
  return { value, channels: stemChannels }
}

function basicBlock(graph: Graph, input: Feature, { width, stride }: BlockOptions): Feature {
  const first = relu(graph, convolution(graph, input, { to: width, kernel: 3, stride }))
  const gain = lastGain
  const last = convolution(graph, first, { to: width, kernel: 3, stride: 1, gain })
  return join(graph, last, shortcut(graph, input, { to: width, stride }))
}

function bottleneckBlock(graph: Graph, input: Feature, { width, stride }: BlockOptions): Feature {
  const to = 4 * width
  const narrow = relu(graph, convolution(graph, input, { to: width, kernel: 1, stride: 1 }))
  const middle = relu(graph, convolution(graph, narrow, { to: width, kernel: 3, stride }))
  const gain = lastGain
  const last = convolution(graph, middle, { to, kernel: 1, stride: 1, gain })
  return join(graph, last, shortcut(graph, input, { to, stride }))
}

function shortcut(graph: Graph, input: Feature, options: { to: number; stride: number }): Feature {
  if (input.channels === options.to && options.stride === 1) return input
  return convolution(graph, input, { ...options, kernel: 1, gain: shortcutGain })
}

function join(graph: Graph, left: Feature, right: Feature): Feature {
  const sum = graph.node({ op: 'Add', inputs: [left.value, right.value] })
  return relu(graph, { value: sum, channels: left.channels })
}

function relu(graph: Graph, input: Feature): Feature {
  return { ...input, value: graph.node({ op: 'Relu', inputs: [input.value] }) }
}

function convolution(
  graph: Graph,
  input: Feature,
  options: { to: number; kernel: number; stride: number; gain?: number },
): Feature {
  const { to, kernel, stride, gain = centredGain } = options
  const fanIn = input.channels * kernel * kernel
  const dims = [to, input.channels, kernel, kernel]
  const weights = graph.weights({ dims, fanIn, gain, centred: true })
  const bias = graph.weights({ dims: [to], fanIn, gain })
  const pad = (kernel - 1) / 2
  const attributes = {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
  }
  const value = graph.node({ op: 'Conv', inputs: [input.value, weights, bias], attributes })
  return { value, channels: to }
}

function classifier(graph: Graph, input: Feature): string {
  const pooled = graph.node({ op: 'GlobalAveragePool', inputs: [input.value] })
  const flat = graph.node({ op: 'Flatten', inputs: [pooled] })
  const weights = graph.weights({
    dims: [classes, input.channels],
    fanIn: input.channels,
    centred: true,
  })
  const bias = graph.filled({ dims: [classes], value: 0 })
  return graph.node({ op: 'Gemm', inputs: [flat, weights, bias], attributes: { transB: 1 } })
}
