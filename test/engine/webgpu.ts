// The WebGPU provider without a GPU: SwiftShader, the Vulkan driver that Debian's chromium package ships.
import { existsSync } from 'node:fs'

const driverFiles = ['/usr/lib/chromium/vk_swiftshader_icd.json']
const loaderFiles = [
  '/usr/lib/x86_64-linux-gnu/libvulkan.so.1',
  '/usr/lib/aarch64-linux-gnu/libvulkan.so.1',
]

/** Why tests of WebGPU cannot run here; undefined where they can. CI has what they need, and is to fail. */
export const webGpuMissing: string | undefined = findMissing()

// Before anything loads the Vulkan loader. Whoever has set it meant another driver.
if (webGpuMissing === undefined) process.env['VK_DRIVER_FILES'] ??= driverFiles.find(existsSync)

/** Tests that need WebGPU are skipped where parts are missing, but not in CI. */
export const skipWebGpu = webGpuMissing !== undefined && process.env['CI'] === undefined

if (skipWebGpu) console.warn(`WebGPU is not tested: ${webGpuMissing}`)

function findMissing(): string | undefined {
  if (process.platform !== 'linux') return 'its tests know only Linux'
  const install = 'apt-get install -y chromium libvulkan1'
  if (!loaderFiles.some(existsSync)) return `there is no libvulkan.so.1: ${install}`
  const driver = process.env['VK_DRIVER_FILES'] !== undefined || driverFiles.some(existsSync)
  return driver ? undefined : `there is no Vulkan driver (${driverFiles.join(', ')}): ${install}`
}
