import { MillraceError } from '../errors.ts'

/** The error of a pipeline that contradicts itself or its models; `where` names the place in it. */
export function definitionError(where: string, problem: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_PIPELINE', message: `${where}: ${problem}` })
}
