import { describe, expect, it } from 'vitest'
import { isAccelerator, readTier } from '../../src/pipeline/tier.ts'

describe('a tier that an engine serves', () => {
  it.each([
    ['cpu-1', { provider: 'cpu', threads: 1, device: 0 }],
    ['cpu-256', { provider: 'cpu', threads: 256, device: 0 }],
    ['cuda', { provider: 'cuda', threads: 1, device: 0 }],
    ['cuda-0', { provider: 'cuda', threads: 1, device: 0 }],
    ['cuda-12', { provider: 'cuda', threads: 1, device: 12 }],
    ['tensorrt-1', { provider: 'tensorrt', threads: 1, device: 1 }],
    ['webgpu', { provider: 'webgpu', threads: 1, device: 0 }],
  ])('%s', (tier, place) => {
    expect(readTier(tier)).toEqual(place)
    expect(isAccelerator(tier)).toBe(place.provider !== 'cpu')
  })

  it.each([
    'cpu',
    'cpu-0',
    'cpu-257',
    'cpu-01',
    'cuda-',
    'cuda-01',
    'cuda-100',
    'webgpu-0',
    'k80',
    'CUDA',
    '',
    1,
    null,
    undefined,
    ['cuda'],
  ])('is not %s', (tier) => {
    expect(readTier(tier)).toBeUndefined()
  })
})
