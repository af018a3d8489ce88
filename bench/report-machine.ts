/** The machine a report was made on, since a figure without it says nothing. */
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem, type } from 'node:os'

export type Machine = {
  cpu: string
  cores: number
  memoryGb: number
  system: string
  node: string
  onnxRuntime: string
}

const require = createRequire(import.meta.url)

export function describeMachine(): Machine {
  const { version } = require('onnxruntime-node/package.json') as { version: string }
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${process.arch}`,
    node: process.version,
    onnxRuntime: version,
  }
}

export function machineText(machine: Machine): string {
  const { cpu, cores, memoryGb, system, node, onnxRuntime } = machine
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}, ONNX Runtime ${onnxRuntime}`
}

/** For a file name: `intel-xeon-processor-2-cores`. */
export function machineSlug({ cpu, cores }: Machine): string {
  const name = cpu.replaceAll(/\((?:r|tm)\)|cpu|@.*$/gi, ' ')
  return `${name} ${cores} cores`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}
