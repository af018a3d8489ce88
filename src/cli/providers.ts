import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { Device, DeviceReport } from '../devices/devices.ts'
import { packageFile } from '../package-file.ts'
import type { DeviceLine, Provider } from './diagnosis.ts'

const bytesPerMb = 2 ** 20
const longestMs = 30_000

/** What this process can run models on, why not on the rest, and the devices that drivers of accelerators know. */
export async function providers(): Promise<{
  readonly providers: readonly Provider[]
  readonly devices: readonly DeviceLine[]
}> {
  const report = await devicesOfAChild()
  const states = Object.entries(report.providers).map(([name, state]): Provider => {
    if (state.usable)
      return { name, available: true, reason: name === 'cpu' ? 'built in' : 'opened' }
    return { name, available: false, reason: oneLine(`${state.message}; ${state.remedy}`) }
  })
  return { providers: states, devices: report.devices.flatMap(lineOf) }
}

/** In a process of its own: drivers print as they like, and a broken one may take its process along. */
async function devicesOfAChild(): Promise<DeviceReport> {
  const door = pathToFileURL(packageFile('dist/index.js')).href
  const program = `import { devices } from ${JSON.stringify(door)}
    console.log(JSON.stringify(await devices()))`
  const args = ['--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: longestMs })
  return JSON.parse(stdout) as DeviceReport
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

// The processor is told of at length elsewhere.
function lineOf(device: Device): readonly DeviceLine[] {
  if (device.kind === 'cpu') return []
  if (device.kind === 'webgpu') {
    const what = device.type === 'cpu' ? 'emulated on the CPU' : device.type
    return [{ tier: 'webgpu', name: `${device.name} (${what})` }]
  }
  const { index, name, memoryBytes, computeCapability, cudaVersion, driverVersion } = device
  const driver = driverVersion === undefined ? '' : `, driver ${driverVersion}`
  const memory = `${Math.round(memoryBytes / bytesPerMb)} MB`
  const text = `${name}, ${memory}, compute ${computeCapability}, CUDA ${cudaVersion}${driver}`
  return [{ tier: `cuda-${index}`, name: text }]
}
