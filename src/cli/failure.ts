import { CommanderError } from 'commander'
import { MillraceError, type MillraceErrorCode } from '../errors.ts'

/** `millrace doctor` found something broken, and has printed so. */
export class BrokenInstallation extends Error {}

/** What a command line that did not succeed says, and its exit code. */
export interface Failure {
  /** 0 where nothing went wrong, such as --help; 1 failed, 2 bad usage or bad input files, 3 infeasible. */
  readonly exitCode: number
  /** Undefined where all was said already. */
  readonly text: string | undefined
}

const badUsage: readonly MillraceErrorCode[] = [
  'MILLRACE_INVALID_OPTION',
  'MILLRACE_INVALID_FILE',
  'MILLRACE_INVALID_PIPELINE',
  'MILLRACE_INVALID_INPUT',
]

/** One short paragraph, begun with `name`; with `trace` the stack, too. */
export function describeFailure(
  error: unknown,
  { name, trace }: { readonly name: string; readonly trace: boolean },
): Failure {
  const exitCode = exitCodeOf(error)
  if (wasSaid(error)) return { exitCode, text: undefined }
  const stack = trace && error instanceof Error ? `\n${error.stack}` : ''
  return { exitCode, text: `${name}: ${messageOf(error)}${stack}` }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return wasAskedFor(error) ? 0 : 2
  if (!MillraceError.is(error)) return 1
  if (error.code === 'MILLRACE_INFEASIBLE') return 3
  return badUsage.includes(error.code) ? 2 : 1
}

function wasAskedFor({ code }: CommanderError): boolean {
  return code === 'commander.helpDisplayed' || code === 'commander.version'
}

// Help, whether asked for or shown since no command was named, is printed by commander.
function wasSaid(error: unknown): boolean {
  if (error instanceof BrokenInstallation) return true
  if (!(error instanceof CommanderError)) return false
  return wasAskedFor(error) || error.code === 'commander.help'
}

function messageOf(error: unknown): string {
  if (error instanceof CommanderError) {
    return error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  }
  if (!(error instanceof Error)) return String(error)
  return error.message === '' ? error.name : error.message
}
