import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'

export function addTraceCommand(program: Command, terminal: Terminal): void {
  program.command('trace').action(() => terminal.print(''))
}
