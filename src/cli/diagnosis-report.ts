import type { Diagnosis, Finding } from './diagnosis.ts'

const headings: Readonly<Record<Finding['level'], string>> = {
  broken: 'Broken',
  slow: 'Would make it faster',
  note: 'Worth knowing',
}

/** A diagnosis as a person reads it. */
export function formatDiagnosis(diagnosis: Diagnosis, findings: readonly Finding[]): string {
  const lines = [
    ['millrace', `${diagnosis.millrace.version} in ${diagnosis.millrace.folder}`],
    ['Node', nodeText(diagnosis)],
    ...labelled('Addon', addonLines(diagnosis)),
    ['ONNX Runtime', runtimeText(diagnosis)],
    ...labelled('Providers', providerLines(diagnosis)),
    ...labelled('Devices', deviceLines(diagnosis)),
    ['First answer', inferenceText(diagnosis)],
    ...labelled('Processor', processorLines(diagnosis)),
    ['Memory', memoryText(diagnosis)],
  ] as const
  const facts = lines.map(([label, text]) => `${label.padEnd(13)} ${text}`)
  const levels = Object.keys(headings) as Finding['level'][]
  return [...facts, ...levels.flatMap((level) => findingLines(level, findings))].join('\n')
}

function labelled(label: string, lines: readonly string[]): readonly (readonly [string, string])[] {
  return lines.map((line, index) => [index === 0 ? label : '', line] as const)
}

function nodeText({ node, platform }: Diagnosis): string {
  const libc = platform.libc === null ? '' : `, ${platform.libc}`
  return `${node.version}, ${platform.platform} ${platform.arch}${libc}, ${platform.system}`
}

function addonLines({ addon }: Diagnosis): readonly string[] {
  return addon.attempts.map(({ place, target, problem }) => {
    return problem === null ? `${target} (${place})` : `${place}: ${target}: ${problem}`
  })
}

function runtimeText({ onnxRuntime: { version, file } }: Diagnosis): string {
  return `${version}, ${file ?? 'not found'}`
}

function providerLines({ onnxRuntime: { providers } }: Diagnosis): readonly string[] {
  if (providers.length === 0) return ['unknown']
  return providers.map(({ name, available, reason }) => {
    return `${name}: ${available ? 'yes' : 'no'}, ${reason}`
  })
}

function deviceLines({ devices }: Diagnosis): readonly string[] {
  if (devices.length === 0) return ['no accelerator that a driver knows']
  return devices.map(({ tier, name }) => `${tier}: ${name}`)
}

function inferenceText({ inference: { answeredMs } }: Diagnosis): string {
  return answeredMs === null ? 'none' : `after ${answeredMs.toFixed(1)} ms, libraries loaded`
}

function processorLines({
  processor,
  availableCores,
  container,
  loadAverage,
}: Diagnosis): readonly string[] {
  const physical = processor.physicalCores
  const limit = container.cores === undefined ? 'no limit' : `limit ${container.cores.toFixed(1)}`
  return [
    processor.model,
    `${availableCores} cores${physical === undefined ? '' : ` (${physical} physical)`}, ` +
      `${limit} of a container, load ${loadAverage.toFixed(1)}`,
    ...(processor.features.length === 0 ? [] : [processor.features.join(' ')]),
  ]
}

function memoryText({ memory, container }: Diagnosis): string {
  const limit = container.memoryMb === undefined ? 'no limit' : `limit ${mb(container.memoryMb)}`
  return `${mb(memory.totalMb)}, ${mb(memory.freeMb)} free, ${limit} of a container`
}

function mb(value: number): string {
  return `${Math.round(value)} MB`
}

function findingLines(level: Finding['level'], findings: readonly Finding[]): readonly string[] {
  const own = findings.filter((finding) => finding.level === level)
  if (own.length === 0) return []
  const lines = own.flatMap(({ problem, remedy }) => [`  ${problem}`, `    ${remedy}`])
  return ['', headings[level], ...lines]
}
