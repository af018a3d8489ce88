/** ResNet-50: 25.6 million weights, 4.1 billion multiplications an image. */
import { residualNetwork } from './residual-network.ts'

export function resnet50Model(options: { seed: number }): Uint8Array {
  return residualNetwork({
    ...options,
    name: 'resnet50',
    block: 'bottleneck',
    blocks: [3, 4, 6, 3],
  })
}
