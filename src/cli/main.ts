#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'
import { Terminal } from './terminal.ts'

const terminal = new Terminal()
const exitCode = await runCommandLine(process.argv.slice(2), terminal)
await terminal.flush()
// A pipeline's module may hold a connection or a timer: what it leaves open keeps no command from ending.
process.exit(exitCode)
