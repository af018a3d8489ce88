import type { Command } from 'commander'
import { figureNames } from '../replicate/figures.ts'
import { replicate } from '../replicate/replicate.ts'
import { readInteger } from './option-value.ts'
import { ProgressBar } from './progress-bar.ts'
import { formatReplication } from './replicate-report.ts'
import type { Terminal } from './terminal.ts'

interface ReplicateOptions {
  readonly out: string
  readonly quick?: boolean
  readonly seed?: number
  readonly json?: boolean
}

const example = `
Examples:
  $ millrace replicate --out report --quick
  $ millrace replicate fig5 fig6 --out report

Writes report.html, and for each figure its data (NAME.json, times in milliseconds) and its plots (NAME.svg). A figure whose
data of the same seed and the same code are there already is not run again. Needs the package echarts, which draws.
Figures: ${figureNames.join(', ')}.`

export function addReplicateCommand(program: Command, terminal: Terminal): void {
  program
    .command('replicate')
    .summary('run the experiments of the InferLine paper again')
    .description(
      'Runs the experiments of InferLine (SoCC 2020) again and writes a report: published numbers, ours, and a verdict on each trend.',
    )
    .argument('[FIGURES...]', 'figures to run (default: all)')
    .requiredOption('--out <DIR>', 'folder of the report; made where it is missing')
    .option('--quick', 'fewer points and shorter traces: about 2 minutes in all')
    .option(
      '--seed <N>',
      'which random numbers; the same seed gives the same report, but for what is measured (default: 1)',
      readInteger('--seed', { min: 0 }),
    )
    .option('--json', 'print one JSON document: the findings of each figure')
    .addHelpText('after', example)
    .action(async (figures: readonly string[], options: ReplicateOptions) => {
      const named = figures.length === 0 ? undefined : figures
      const replication = await run({ ...options, figures: named }, terminal)
      if (options.json) terminal.printJson(replication)
      else terminal.print(formatReplication(replication))
    })
}

async function run(
  {
    out,
    quick,
    figures,
    seed,
  }: ReplicateOptions & { readonly figures: readonly string[] | undefined },
  terminal: Terminal,
) {
  using bar = new ProgressBar(terminal, '{bar} {percentage} % {text}')
  return await replicate({
    out,
    quick,
    figures,
    seed,
    signal: terminal.signal,
    onProgress: ({ figure, done, total, text }) => {
      bar.show({ done, total, text: `${figure}: ${text}` })
    },
  })
}
