// The test doubles of NVIDIA's libraries, built and put in the places of those.
import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Builds a library of test/native into a folder; returns its path. */
export function buildDouble(
  folder: string,
  { source, without = '' }: { readonly source: string; readonly without?: string },
): string {
  const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
  const file = join(folder, `${source}${without}.so`)
  const defines = without === '' ? [] : [`-D${without}`]
  const flags = ['-std=c++20', '-O0', '-fPIC', '-shared', '-fvisibility=hidden', ...defines]
  const include = ['-I', path('../../native')]
  execFileSync('g++', [...flags, ...include, '-o', file, path(`../native/${source}.cc`), '-ldl'])
  return file
}

export function installDoubles(folder: string): void {
  Object.assign(process.env, {
    MILLRACE_CUDA_DRIVER: buildDouble(folder, { source: 'cuda_double' }),
    MILLRACE_NVRTC: buildDouble(folder, { source: 'nvrtc_double' }),
    MILLRACE_NVML: '/nowhere/libnvidia-ml.so.1',
  })
}

export function removeDoubles(): void {
  for (const name of ['CUDA_DRIVER', 'NVRTC', 'NVML']) delete process.env[`MILLRACE_${name}`]
}

let copies = 0

/** On a device of its own, which was told to fail: see `fail` in cuda_double.h. */
export async function onFailingDevice<Result>(
  folder: string,
  { fault, start }: { readonly fault: string; readonly start: () => Promise<Result> },
): Promise<Result> {
  const copy = join(folder, `libcuda-${copies++}.so`)
  copyFileSync(join(folder, 'cuda_double.so'), copy)
  const before = process.env['MILLRACE_CUDA_DRIVER']
  Object.assign(process.env, { MILLRACE_CUDA_DRIVER: copy, CUDA_DOUBLE_FAULT: fault })
  try {
    return await start()
  } finally {
    delete process.env['CUDA_DOUBLE_FAULT']
    Object.assign(process.env, { MILLRACE_CUDA_DRIVER: before })
  }
}
