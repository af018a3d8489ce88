import type { Command } from 'commander'
import { MillraceError } from '../errors.ts'
import type { LiveSnapshot } from '../observe/live-snapshot.ts'
import { eventsUrl, liveSnapshots } from './live-stream.ts'
import { Screen } from './screen.ts'
import type { Terminal } from './terminal.ts'
import { colourStyle, formatLine, formatSnapshot, plainStyle } from './top-view.ts'

interface TopOptions {
  readonly once?: boolean
  readonly json?: boolean
}

const example = `
Examples:
  $ millrace top http://127.0.0.1:3000/live
  $ millrace top http://127.0.0.1:3000/live --once --json

The application mounts livePage() there; without http:// before it, that is meant. On a terminal it is drawn in place, until
Ctrl-C or until the engines are closed; into a file or a pipe goes a line a snapshot for each engine. Latencies are in
milliseconds, of the last seconds. With --json each snapshot is one line of JSON; with --once it is one document.
NO_COLOR=1 leaves colours out.`

export function addTopCommand(program: Command, terminal: Terminal): void {
  program
    .command('top')
    .summary('live view of a running engine')
    .description(
      'Shows what the engines of a running application do, while they do it: the same as its live page, in a terminal.',
    )
    .argument('<URL>', 'where the application serves its live page')
    .option('--once', 'show one snapshot and end')
    .option('--json', 'print JSON: one document with --once, else a line for each snapshot')
    .addHelpText('after', example)
    .action(async (address: string, options: TopOptions) => {
      const url = eventsUrl(address)
      const snapshots = liveSnapshots(url, { signal: terminal.signal })
      if (options.once) await showOnce(snapshots, { options, terminal })
      else await follow(snapshots, { options, terminal })
    })
}

interface Showing {
  readonly options: TopOptions
  readonly terminal: Terminal
}

async function showOnce(
  snapshots: AsyncGenerator<LiveSnapshot>,
  { options, terminal }: Showing,
): Promise<void> {
  for await (const snapshot of snapshots) {
    if (options.json) terminal.printJson(snapshot)
    else terminal.print(formatSnapshot(snapshot, styleFor(process.stdout)))
    return
  }
  if (terminal.signal.aborted) return
  throw new MillraceError({
    code: 'MILLRACE_CLOSED',
    message: 'the engines were closed before the first snapshot',
  })
}

async function follow(
  snapshots: AsyncGenerator<LiveSnapshot>,
  { options, terminal }: Showing,
): Promise<void> {
  const isDrawn = process.stdout.isTTY === true && !options.json
  using screen = isDrawn ? new Screen(process.stdout) : undefined
  for await (const snapshot of snapshots) {
    if (screen !== undefined) screen.show(formatSnapshot(snapshot, styleFor(process.stdout)))
    else if (options.json) terminal.print(JSON.stringify(snapshot))
    else terminal.print(formatLine(snapshot))
    // A reader that went away, such as head, wants no more.
    if (process.stdout.destroyed) return
  }
  if (!terminal.signal.aborted) terminal.say('millrace top: the engines were closed')
}

/** Colours where a person sees them and wants them. */
function styleFor(stream: NodeJS.WriteStream) {
  const unwanted = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb'
  return stream.isTTY && !unwanted ? colourStyle : plainStyle
}
