import { MillraceError } from '../errors.ts'

/** Makes the error of one file: where in it, what is wrong there, and what to do. */
export type FileFault = (where: string, problem: string) => MillraceError

const mostShown = 40

export function faultOf(path: string): FileFault {
  return (where, problem) =>
    new MillraceError({
      code: 'MILLRACE_INVALID_FILE',
      message: `${path}: ${where === '' ? '' : `${where}: `}${problem}`,
    })
}

/** What stands in a file and is no value, for a message. */
export function describeText(text: string): string {
  if (text === '') return 'nothing'
  return JSON.stringify(text.length > mostShown ? `${text.slice(0, mostShown - 1)}…` : text)
}
