import type { Command } from 'commander'
import type { Profile } from '../profile/profile.ts'
import { Profiler } from '../profile/profiler.ts'
import { writeProfile } from '../profile/write-profile.ts'
import { loadPipeline, pipelineHelp } from './load-pipeline.ts'
import { loadSamples } from './load-samples.ts'
import { readInteger, readList } from './option-value.ts'
import { formatProfile } from './profile-report.ts'
import { ProgressBar } from './progress-bar.ts'
import type { Terminal } from './terminal.ts'

interface ProfileOptions {
  readonly tiers?: readonly string[]
  readonly samples?: number
  readonly maxBatch?: number
  readonly out?: string
  readonly json?: boolean
}

const defaultSamples = 256

const example = `
Example:
  $ millrace profile pipeline.js --tiers cpu-1,cpu-2 --out digits.profile.json

The module also exports sample requests: \`export function samples() { return [{ image }, …] }\`.
Times are in milliseconds. Nothing else should run meanwhile.`

export function addProfileCommand(program: Command, terminal: Terminal): void {
  program
    .command('profile')
    .summary('measure the stages of a pipeline here')
    .description(
      'Measures how long batches of each stage take on this machine, with the inputs that sample requests give them.',
    )
    .argument('<PIPELINE>', pipelineHelp)
    .option(
      '--tiers <NAMES>',
      'kinds of replica to measure: cpu-N has N threads, and cuda, tensorrt, webgpu (default: cpu-1)',
      readList('--tiers'),
    )
    .option(
      '--samples <N>',
      `sample requests to use at most (default: ${defaultSamples})`,
      readInteger('--samples', { min: 1 }),
    )
    .option(
      '--max-batch <ROWS>',
      'largest batch to measure (default: 64, on accelerators 256)',
      readInteger('--max-batch', { min: 1 }),
    )
    .option(
      '--out <FILE>',
      'where to write the profile (default: NAME.profile.json, by the name of the pipeline)',
    )
    .option('--json', 'print one JSON document: the profile')
    .addHelpText('after', example)
    .action(async (file: string, options: ProfileOptions) => {
      const profile = await measure(file, { options, terminal })
      const out = options.out ?? `${profile.pipeline}.profile.json`
      await writeProfile(out, profile)
      if (options.json) terminal.printJson(profile)
      else terminal.print(`${formatProfile(profile)}\n\nWritten to ${out}.`)
    })
}

async function measure(
  file: string,
  { options, terminal }: { readonly options: ProfileOptions; readonly terminal: Terminal },
): Promise<Profile> {
  const module = await loadPipeline(file)
  const samples = await loadSamples(module, options.samples ?? defaultSamples)
  const { tiers, maxBatch } = options
  const profiler = new Profiler(module.pipeline, { samples, tiers, maxBatch })
  using bar = new ProgressBar(terminal, '{bar} {percentage} % {text}')
  return await profiler.run({
    signal: terminal.signal,
    onProgress: ({ done, total, message }) => bar.show({ done, total, text: message }),
  })
}
