/** ResNet-18: 11.7 million weights, 1.8 billion multiplications an image. */
import { residualNetwork } from './residual-network.ts'

export function resnet18Model(options: { seed: number }): Uint8Array {
  return residualNetwork({ ...options, name: 'resnet18', block: 'basic', blocks: [2, 2, 2, 2] })
}
